import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Command, Host } from '../../../src/host/host.ts';
import { ContainerHost, typedBeside, typedInside } from '../../../src/odoo/compose/container-host.ts';
import { commandByHand } from '../../../src/restore/by-hand.ts';

/** Notes what is to be started, and starts nothing. */
function machine(): { readonly host: Host; readonly started: Command[] } {
  const started: Command[] = [];
  const start = async (command: Command) => {
    started.push(command);
    throw new Error('not started');
  };
  return { host: { label: 'vm', user: 'deploy', start, [Symbol.asyncDispose]: async () => {} }, started };
}

suite('a command in a container', () => {
  const cases: [Command, readonly string[], Command['secretEnv']][] = [
    [
      { argv: ['ls', '/a b'] },
      ['docker', 'exec', '--interactive', '--workdir', '/', '--user', 'root', 'c0', 'ls', '/a b'],
      {},
    ],
    [
      { argv: ['psql'], as: 'odoo', env: { PGUSER: 'x=y' }, secretEnv: { PGPASSWORD: 's3cret' } },
      [
        ...['docker', 'exec', '--interactive', '--workdir', '/', '--user', 'odoo'],
        ...['--env', 'PGUSER=x=y', '--env', 'PGPASSWORD', 'c0', 'psql'],
      ],
      { PGPASSWORD: 's3cret' },
    ],
    [
      { argv: ['true'], as: '#101' },
      ['docker', 'exec', '--interactive', '--workdir', '/', '--user', '101', 'c0', 'true'],
      {},
    ],
  ];
  for (const [command, argv, secretEnv] of cases) {
    test(`${command.argv.join(' ')} as ${command.as ?? 'root'}`, async () => {
      const { host, started } = machine();
      const container = new ContainerHost(
        { machine: host, program: 'docker', as: 'root' },
        'db',
        async () => 'c0',
        typedInside('docker', 'c1'),
      );
      await assert.rejects(container.start(command), /not started/);
      assert.deepEqual(started, [{ argv, as: 'root', secretEnv }]);
      assert.doesNotMatch(argv.join(' '), /s3cret/);
    });
  }

  test('is guarded inside: the machine hands its standard input on', async () => {
    const { host, started } = machine();
    const container = new ContainerHost(
      { machine: host, program: 'docker', as: undefined },
      'db',
      async () => 'c0',
      typedInside('docker', 'c1'),
    );
    await assert.rejects(container.start({ argv: ['pg_dump'], guarded: true }));
    const [{ argv = [], guarded } = {}] = started;
    assert.equal(guarded, undefined);
    assert.deepEqual([argv[8], argv.at(-1)], ['sh', 'pg_dump']);
  });

  test('is written for people without what is gone by then', () => {
    const { host } = machine();
    const typed = (words: (argv: readonly string[]) => string[], as?: string) => {
      const container = new ContainerHost(
        { machine: host, program: 'docker', as },
        'odoo',
        async () => 'gone',
        words,
      );
      return commandByHand({ host: container, command: (argv) => ({ argv }) }, ['mv', '-T', 'a', 'b']);
    };
    assert.equal(
      typed(typedInside('docker', 'c1'), 'root'),
      'sudo -u root docker exec --user root c1 mv -T a b',
    );
    assert.equal(
      typed(typedBeside('podman', 'c1', 'odoo:17')),
      'podman run --rm --volumes-from c1 --user root --entrypoint mv odoo:17 -T a b',
    );
  });
});
