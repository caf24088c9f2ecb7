import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { version } from '../../src/util/version.ts';
import { compileCache } from '../support/compile-cache.ts';
import { runProgram } from '../support/program.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

describe('the program', () => {
  test('--version', async () => {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [main, '--version'], {
      env: { NODE_COMPILE_CACHE: compileCache },
    });
    assert.deepEqual([stdout, stderr], [`${version}\n`, '']);
  });

  test('alone it says how it is used, and that nothing was done', async () => {
    const { stdout, log, exitCode } = await runProgram({ args: [], env: {} });
    assert.match(stdout, /^Usage: odoo-backup COMMAND \[options\]$/m);
    assert.ok(stdout.split('\n').length <= 22);
    assert.deepEqual([log, exitCode], ['', 2]);
  });

  test('alone, with variables that say what to do, it makes a backup', async () => {
    const { log, exitCode } = await runProgram({ args: [], env: { ODOO_BACKUP_SSH_HOST: 'a@b' } });
    assert.match(log, /s3-bucket: is required/);
    assert.equal(exitCode, 2);
  });

  for (const [args, pattern] of [
    [['--help'], /^Usage: odoo-backup COMMAND \[options\]$/m],
    [['help', 'gate'], /^Usage: odoo-backup gate \[options\]$/m],
    [['gate', '-h', '--all'], /^ {2}--aws-role-arn ARN /m],
    [['completion', 'bash'], /^complete -F _odoo_backup odoo-backup$/m],
    [['version'], /^\d+\.\d+\.\d+/],
  ] as const) {
    test(args.join(' '), async () => {
      const { stdout, log, exitCode } = await runProgram({ args, env: {} });
      assert.match(stdout, pattern);
      assert.deepEqual([log, exitCode], ['', 0]);
    });
  }

  test('a wrong command is all that it speaks of', async () => {
    const { stdout, log, exitCode } = await runProgram({ args: ['bakcup', '--nonsense'], env: {} });
    assert.equal(
      log,
      'error: bakcup: there is no such command; did you mean backup?\n  odoo-backup help lists the commands.\n',
    );
    assert.deepEqual([stdout, exitCode], ['', 2]);
  });

  test('wrong inputs end with 2, and nothing but the problems is printed', async () => {
    const { stdout, log, exitCode } = await runProgram({ args: ['backup', '--ssh-hots', 'x'], env: {} });
    assert.equal(stdout, '');
    assert.match(log, /^error: --ssh-hots: unknown, did you mean --ssh-host\?\n/);
    assert.equal(exitCode, 2);
  });

  test('on GitHub secrets are masked before anything else', async () => {
    const env = {
      GITHUB_ACTIONS: 'true',
      INPUT_COMMAND: 'backup',
      'INPUT_DB-PASSWORD': 'hunter22',
      GITHUB_OUTPUT: '/dev/null',
    };
    const { stdout, exitCode } = await runProgram({ args: [], env });
    assert.match(stdout, /^::add-mask::hunter22\n::error::\d+ inputs need a change:/);
    assert.equal(exitCode, 2);
  });
});
