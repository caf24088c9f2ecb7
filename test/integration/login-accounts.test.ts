import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { logsOutput } from '../../src/host/accounts.ts';
import { useRootedBackups } from '../support/rooted-backup.ts';
import type { RootedHost } from '../support/rooted-host.ts';

/** What the account that logs in may have for a shell, and what sudo may be told. Only root can make such a host. */
suite('a login account', { concurrency: 3 }, () => {
  const { onHost, succeeds, fails } = useRootedBackups();
  const giveShell = ({ exec }: RootedHost, shell: string) => exec(['usermod', '--shell', shell, 'deploy']);
  const rules = 'deploy ALL=(postgres,odoo) NOPASSWD: ALL';

  test('makes backups whatever its shell is, as long as it is one', async (t) => {
    await onHost({}, async (host) => {
      for (const shell of ['fish', 'tcsh']) {
        await t.test(`with ${shell} makes backups as any other`, async () => {
          await giveShell(host, `/usr/bin/${shell}`);
          await succeeds(host);
          await succeeds(host, { format: 'directory' });
        });
      }

      await t.test('without a shell is told what its shell printed', async () => {
        const runs = /does not run commands as a shell does/;
        await giveShell(host, '/usr/bin/rbash');
        await fails(host, {}, runs, /printed "rbash: [^"]*exec[^"]*"/, /a restricted shell/);
        await giveShell(host, '/usr/sbin/nologin');
        await fails(host, {}, runs, /printed "This account [^"]*"/, /not nologin/);
        await giveShell(host, '/bin/false');
        await fails(host, {}, runs, /printed nothing, and it ended with exit code 1/);
        await giveShell(host, '/usr/lib/openssh/sftp-server');
        await fails(host, {}, runs, /SFTP alone/);
      });
    });
  });

  test('whose sudo wants a terminal is told what sudo says', async () => {
    await onHost({ sudoers: `Defaults requiretty\n${rules}` }, async (host) => {
      await fails(
        host,
        { 'odoo-conf': host.conf },
        /sudo says for odoo: "sudo: sorry, you must have a tty to run sudo"/,
      );
    });
  });

  test('whose sudo lectures makes backups', async () => {
    await onHost({ sudoers: `Defaults lecture=always\n${rules}` }, async (host) => {
      await succeeds(host, { format: 'odoo' });
    });
  });

  test('whose sudo asks for a password after a lecture is told so', async () => {
    const sudoers = `Defaults lecture=always\n${rules.replace('NOPASSWD: ', '')}`;
    await onHost({ sudoers }, async (host) => {
      await fails(host, { 'odoo-conf': host.conf }, /sudo says for odoo: "sudo: a password is required"/);
    });
  });

  test('whose sudo logs what commands print is refused, for sudo may lose the end of it', async () => {
    await onHost({ sudoers: `Defaults log_output\n${rules}` }, async (host) => {
      await fails(host, {}, /logs what commands print \(log_output\)/, /Defaults:deploy !log_output/);
    });
    const others = `Defaults log_output\nDefaults:deploy !log_output\n${rules}`;
    await onHost({ sudoers: others }, async (host) => {
      await succeeds(host, { format: 'odoo' });
    });
  });
});

suite('a list of sudo’s', () => {
  for (const [list, logs] of [
    ['    env_reset, mail_badpass, use_pty\n    (odoo) NOPASSWD: ALL', false],
    ['    env_reset, log_output\n    (odoo) NOPASSWD: ALL', true],
    ['    log_output, !log_output\n    (odoo) NOPASSWD: ALL', false],
    ['    !log_output, log_output\n    (odoo) NOPASSWD: ALL', true],
    ['    env_reset\n    (odoo) NOPASSWD: LOG_OUTPUT: ALL', true],
    ['    log_output\n    (odoo) NOPASSWD: NOLOG_OUTPUT: ALL', false],
    ['    syslog=local1, log_input\n    (odoo) ALL', false],
    ['', false],
  ] as const) {
    test(JSON.stringify(list), () => assert.equal(logsOutput(list), logs));
  }
});
