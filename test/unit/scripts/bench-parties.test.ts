import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { Accounts } from '../../../scripts/bench/parties.ts';

/** Takes 0.2 s of processor time, however long that lasts, and says so. */
const WORK = `while (process.cpuUsage().user + process.cpuUsage().system < 2e5); console.log('done')`;

const accounts = Accounts.open();

test('a server has the time of what it ran, even if it did not wait for its end', {
  skip: accounts === undefined && 'making control groups needs root',
}, async () => {
  assert.ok(accounts);
  const script = `read -r _; ("$0" -e "$1" &); read -r _`;
  const server = spawn('bash', ['-c', script, process.execPath, WORK], {
    argv0: 'sshd',
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const { done, parties } = await accounts.take(async () => {
    server.stdin.write('\n');
    return String(await once(server.stdout, 'data'));
  });
  server.stdin.end('\n');
  await once(server, 'exit');
  assert.equal(done, 'done\n');
  assert.ok(parties.host >= 0.2, `${parties.host}`);
  assert.deepEqual([parties.postgres, parties.s3], [0, 0]);
  assert.ok(parties.client < 0.2, 'it is none of this process’s own');
});
