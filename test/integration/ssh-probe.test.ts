import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, suite, test } from 'node:test';
import { run } from '../../src/host/run.ts';
import { UserError } from '../../src/util/errors.ts';
import { login } from '../support/login.ts';
import { useSandbox } from '../support/sandbox.ts';
import { startOwnSshd } from '../support/sshd.ts';

/** Login shells, and what stands in for them, that do not run what they are given. */

const sandbox = useSandbox();
const folder = mkdtempSync(join(sandbox.folder, 'shells-'));
chmodSync(folder, 0o755);
after(() => rmSync(folder, { recursive: true }));

/** A program in place of the login shell; `$SSH_ORIGINAL_COMMAND` is what was asked for. */
function forced(script: string): string {
  const path = join(mkdtempSync(join(folder, 'forced-')), 'command');
  chmodSync(dirname(path), 0o755);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return `ForceCommand ${path}`;
}

/** Text that bash reads before it runs a command, as it reads ~/.bashrc under sshd. */
function startFile(text: string): string {
  const path = join(mkdtempSync(join(folder, 'rc-')), 'rc');
  chmodSync(dirname(path), 0o755);
  writeFileSync(path, text);
  return forced(`exec bash -c '. "$0"; eval "$SSH_ORIGINAL_COMMAND"' ${path}`);
}

async function whoami(settings: string): Promise<string> {
  await using server = await startOwnSshd(sandbox, {}, settings);
  const onRetry = (why: string) => assert.fail(`tried again: ${why}`);
  await using host = await login(sandbox, server, { onRetry });
  return (await run(host, { argv: ['id', '-un'] })).trim();
}

async function refused(message: RegExp, hint: RegExp, settings: string): Promise<UserError> {
  const error = await whoami(settings).then(
    () => assert.fail('it logged in'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof UserError, String(error));
  assert.match(error.message, message);
  assert.match(error.hint, hint);
  return error;
}

suite('a login shell that', () => {
  const runs = /does not run commands as a shell does/;

  test('says something to standard error alone is fine', async () => {
    assert.equal(await whoami(startFile('echo hello >&2')), sandbox.ssh.user);
  });

  test('prints a greeting is told what it prints', async () => {
    await refused(
      /prints text of its own .*: "Welcome to \\u001b\[1mshop"$/,
      /\.bashrc.*config\.fish/,
      startFile("printf 'Welcome to \\033[1mshop\\n'"),
    );
  });

  test('prints at its end is told what it prints', async () => {
    await refused(
      /prints text of its own .*: "Bye"$/,
      /\.bashrc/,
      forced('sh -c "$SSH_ORIGINAL_COMMAND"; code=$?; echo Bye; exit $code'),
    );
  });

  test('exits in its start file', async () => {
    await refused(
      /printed nothing, and it ended with exit code 0$/,
      /start files .*exit/,
      startFile('exit 0'),
    );
  });

  test('is restricted', async () => {
    await refused(
      /rbash: .*exec.*and it ended with exit code/,
      /a restricted shell/,
      forced('exec rbash -c "$SSH_ORIGINAL_COMMAND"'),
    );
  });

  test('is nologin', async () => {
    const error = await refused(runs, /chsh -s \/bin\/sh/, 'ForceCommand /usr/sbin/nologin');
    assert.match(error.message, /printed "This account .*" *, and it ended with exit code 1$/);
  });

  test('is SFTP alone', async () => {
    await refused(runs, /SFTP alone/, 'ForceCommand internal-sftp');
  });

  test('is a menu', async () => {
    await refused(
      /"1\) Backup\\n2\) Quit.*"/,
      /a menu/,
      forced('echo "1) Backup"; echo "2) Quit"; while read -r choice; do :; done'),
    );
  });

  test('prints without end', async () => {
    const error = await refused(
      /printed "menu\\nmenu.*…", and it did not end$/,
      /a menu/,
      forced('exec yes menu'),
    );
    assert.ok(error.message.length < 500);
  });

  test('takes the words apart otherwise', async () => {
    await refused(
      runs,
      /sh, bash, zsh, fish or tcsh/,
      forced('eval "sh -c $(echo $SSH_ORIGINAL_COMMAND | tr -d \'\\\\\\\\\')"'),
    );
  });
});
