import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { cleanEnvironment, runCommand } from '../support/backup-run.ts';
import { RollbackScene } from '../support/rollback-scene.ts';
import { useSandbox } from '../support/sandbox.ts';
import { startOwnSshd } from '../support/sshd.ts';

/** How many commands a run has on the host at once: what MaxSessions of its sshd has to allow. */
suite('an sshd whose MaxSessions is', { concurrency: true }, () => {
  async function run(maxSessions: number, ...commands: readonly string[]): Promise<string[]> {
    const sandbox = useSandbox();
    await using scene = await RollbackScene.open();
    await using ssh = await startOwnSshd(sandbox, {}, `MaxSessions ${maxSessions}`);
    const login = { 'ssh-port': String(ssh.port), 'ssh-known-hosts': ssh.knownHosts };
    const errors: string[] = [];
    for (const command of commands) {
      const inputs = command === 'backup' ? scene.scene.inputs : scene.inputs;
      const ended = await runCommand(command, { ...inputs, ...login }, cleanEnvironment(sandbox.s3));
      if (ended.exitCode !== 0) errors.push(ended.log);
    }
    return errors;
  }

  for (const tooFew of [1, 2]) {
    test(`${tooFew} is told that 3 are needed`, async () => {
      const [log = ''] = await run(tooFew, 'backup');
      assert.match(log, new RegExp(`runs no more than ${tooFew} commands at once, and did not start`));
      assert.match(log, /At least 3 are needed: set MaxSessions of its sshd to 10/);
    });
  }

  test('3 is enough, for a backup and for a rollback', async () => {
    assert.deepEqual(await run(3, 'backup', 'rollback'), []);
  });
});
