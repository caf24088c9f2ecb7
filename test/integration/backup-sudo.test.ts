import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { assertNothingLeft, holdDumpOn, useRootedBackups } from '../support/rooted-backup.ts';

/**
 * As in the field: odoo.conf 0640, filestore 0700, peer authentication, and `deploy` logs in. Only root can make that.
 */
suite('a host of several accounts', { concurrency: 3 }, () => {
  const { onHost, start, succeeds, fails } = useRootedBackups();

  test('sudo to odoo and postgres: everything is found without an input', async () => {
    await onHost({}, async (host) => {
      const { log } = await succeeds(host);
      assert.match(log, /odoo\.conf: \/etc\/odoo\/odoo\.conf/);
      assert.match(log, /role odoo, as account odoo by sudo/);
      assert.match(log, /Filestore: \S+, read as odoo/);
      await succeeds(host, { sudo: 'always', format: 'custom' });
      await fails(host, { sudo: 'never', 'odoo-conf': host.conf }, /odoo-conf/, /Set sudo to auto/);
    });
  });

  test('sudo to odoo alone is enough', async () => {
    await onHost({ sudoers: 'deploy ALL=(odoo) NOPASSWD: ALL' }, async (host) => {
      await succeeds(host);
    });
  });

  test('data_dir with a home folder in it, and one that is not there', async () => {
    await onHost({}, async (host) => {
      const setDataDir = (value: string) =>
        host.exec([
          'sh',
          '-c',
          'sed -i /data_dir/d "$1"; echo "data_dir = $2" >>"$1"',
          'sh',
          host.conf,
          value,
        ]);
      for (const home of ['~', '$HOME', '~odoo', '/var/lib/$USER']) {
        await setDataDir(`${home}/.local/share/Odoo/`);
        await succeeds(host, { format: 'odoo' });
      }
      await setDataDir('/srv/nowhere');
      await fails(host, {}, /There is no filestore, .*Looked in: \/srv\/nowhere\/filestore\/prod/);
      await setDataDir('relative');
      await fails(host, {}, /data_dir in \/etc\/odoo\/odoo\.conf is no absolute path/);
    });
  });

  test('a name that is not UTF-8 is told, and a lost+found of root’s is no obstacle', async () => {
    await onHost({}, async (host) => {
      await host.exec(['mkdir', '-m', '700', `${host.filestore}/lost+found`]);
      const odd = 'cd "$1" && touch "$(printf "odd\\377")" && chown odoo: odd*';
      await host.exec(['bash', '-c', odd, 'bash', host.filestore]);
      const { log, receipt } = await succeeds(host, { format: 'odoo' });
      assert.match(log, /warning: 1 file with names that are not UTF-8 are left out, such as odd\uFFFD/);
      assert.equal(receipt.filestore?.skipped, 1);
    });
  });

  test('no sudo: the line that would allow it', async () => {
    await onHost({ sudoers: '# nobody' }, async (host) => {
      const line = /deploy ALL=\(odoo\) NOPASSWD: ALL/;
      await fails(host, { 'odoo-conf': host.conf }, /odoo-conf: .*may not (read|enter)/, line);
    });
  });

  test('root needs no sudo', async () => {
    await onHost({ without: ['sudo'] }, async (host) => {
      const { log } = await succeeds(host, { 'ssh-user': 'root' });
      assert.match(log, /role odoo, as account odoo; pg_dump/);
      await succeeds(host, { 'ssh-user': 'root', sudo: 'always', format: 'directory' });
      await fails(
        host,
        { 'ssh-user': 'root', sudo: 'never' },
        /rejected every account and role/,
        /Set sudo to auto/,
      );
    });
  });

  test('a run that is killed leaves nothing on the host', async (t) => {
    await onHost({}, async (host) => {
      for (const [user, format] of [
        ['deploy', 'odoo'],
        ['deploy', 'directory'],
        ['root', 'odoo'],
        ['root', 'directory'],
      ] as const) {
        await t.test(`of ${user} (format ${format})`, async () => {
          await using _ = await holdDumpOn(host);
          const run = start(host, { 'ssh-user': user, format });
          const dumps = host.exec([
            'sh',
            '-c',
            'until pgrep -f "^[^ ]*pg_dump .*--snapshot"; do sleep 0.05; done',
          ]);
          await Promise.race([dumps, run.ended.then(({ log }) => assert.fail(log))]);
          run.child.kill('SIGKILL');
          await assertNothingLeft(host);
        });
      }
    });
  });

  test('format directory: too little space is found before, and a disk that fills up all the same', async () => {
    await onHost({ tmpMiB: 1 }, async (host) => {
      await fails(host, { format: 'directory' }, /Too little space on the host/);
    });
    await onHost({ tmpMiB: 20 }, async (host) => {
      // PostgreSQL keeps it compressed: the tables are small, and their dump is not.
      const sql = "CREATE TABLE wide AS SELECT repeat('x', 10000000) AS text FROM generate_series(1, 6)";
      await host.exec(['runuser', '-u', 'odoo', '--', 'psql', '-XAtqd', host.database, '-c', sql]);
      const inputs = { format: 'directory', compression: '0' };
      await fails(host, inputs, /pg_dump failed/, /No space left on device/);
    });
  });
});
