import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { parseCommandLine } from '../../../src/inputs/command-line/read.ts';
import { parseInputs } from '../../../src/inputs/parse.ts';
import { gitlabPlatform } from '../../../src/platform/gitlab.ts';
import { Outputs } from '../../../src/platform/outputs.ts';
import { describeError } from '../../../src/platform/platform.ts';
import { fewestInputs, fewestVariables } from '../../support/inputs.ts';
import { runProgram } from '../../support/program.ts';

const main = new URL('../../../src/main.ts', import.meta.url).pathname;

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'outputs-'));
});
after(() => rm(folder, { recursive: true }));

/** The program as GitHub's runner starts it. */
async function step(env: Record<string, string>) {
  const given = { GITHUB_ACTIONS: 'true', INPUT_COMMAND: 'hosts', ...env };
  const { stdout, exitCode: code } = await runProgram({ args: [], env: given });
  return { stdout, code };
}

/** An inventory that makes the command `hosts` give an output, without a server. */
async function inventory(): Promise<string> {
  const path = join(folder, 'hosts.yml');
  await writeFile(path, 'shops:\n  hosts:\n    one: { dbname: shop }\n');
  return path;
}

describe('outputs that cannot be written', () => {
  for (const [title, path, why] of [
    ['are found before anything is done: no file is named', '', 'GITHUB_OUTPUT is not set'],
    ['are found before anything is done: it is a folder', '/', 'EISDIR'],
    ['are found before anything is done: its disk is full', '/dev/full', 'ENOSPC'],
  ] as const) {
    test(title, async () => {
      const { stdout, code } = await step({ GITHUB_OUTPUT: path, INPUT_INVENTORY: await inventory() });
      assert.equal(code, 1);
      const line = `^::error::The outputs of this step cannot be written: .*${why}.*%0ANothing was touched\\.`;
      assert.match(stdout, new RegExp(line));
      assert.equal(stdout.trim().split('\n').length, 1);
    });
  }

  test('on a disk that is full once the work is done: their values are in the log, and it fails at the end', async () => {
    const [pipe, output] = [join(folder, 'hosts.pipe'), join(folder, 'output')];
    // Who reads the inventory has begun: then the disk gets full.
    const script =
      'mkfifo "$1" && : >"$2" && echo ready && exec 3>"$1" && ln -sf /dev/full "$2" && cat "$3" >&3';
    const filling = spawn('sh', ['-c', script, 'sh', pipe, output, await inventory()]);
    await once(filling.stdout, 'data');
    const { stdout, code } = await step({ GITHUB_OUTPUT: output, INPUT_INVENTORY: pipe });
    assert.equal(code, 1);
    assert.match(
      stdout,
      /^::warning::The output matrix could not be written \(ENOSPC.*\)\. Its value is .*"database":"shop"/m,
    );
    assert.match(stdout, /✅ 1 job for 1 host/); // the summary has no file either
    assert.match(stdout, /^::error::The command has done its work, but these outputs .*: matrix%0A/m);
    assert.doesNotMatch(stdout, / {4}at /);
  });

  test('of a script on a full disk', async () => {
    const shell = `"${process.execPath}" "${main}" hosts --inventory "${await inventory()}" >/dev/full`;
    const ended = await promisify(execFile)('sh', ['-c', shell], { env: {} }).catch((error) => error);
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, /warning: The output matrix could not be written \(.*ENOSPC/);
  });

  test('in a folder of GitLab’s that is none to write in', async (t) => {
    const [cwd, place] = [process.cwd(), join(folder, 'gitlab')];
    await mkdir(join(place, 'odoo-backup.env'), { recursive: true });
    await chmod(place, 0o755);
    process.chdir(place);
    t.after(() => process.chdir(cwd));
    const platform = gitlabPlatform(parseCommandLine([], {}), {}, new PassThrough());
    assert.throws(() => platform.prepare(), /^UserError: The results of this job cannot be written: /);
  });

  test('name the archive, whatever kind of error it was', () => {
    for (const error of [new Error('x'), 'text', undefined, Object.create(null), new AggregateError([])]) {
      const warnings: string[] = [];
      const outputs = new Outputs(
        () => {
          throw error;
        },
        (message) => warnings.push(message),
      );
      outputs.give('uri', 's3://bucket/shop.zip');
      assert.match(
        warnings.join(),
        /^The output uri could not be written \(.+\)\. .*s3:\/\/bucket\/shop\.zip$/,
      );
      assert.throws(() => outputs.assertWritten(), /outputs could not be written: uri$/);
    }
  });
});

describe('a name that holds a secret is told before the backup, for GitHub hands no such output on', () => {
  const secret = { 'INPUT_DB-PASSWORD': 'odoo', GITHUB_OUTPUT: '/dev/null' };
  for (const [title, env, where] of [
    ['the customer', { INPUT_CUSTOMER: 'odoo-shop' }, 'of the input customer'],
    ['the database', { INPUT_DATABASE: 'odoo' }, 'of the input database'],
    [
      'the repository, which is the customer',
      { GITHUB_REPOSITORY: 'acme/odoo-sh' },
      'of the input customer (the name of the repository)',
    ],
  ] as const) {
    test(title, async () => {
      const { stdout } = await step({ INPUT_COMMAND: 'backup', ...secret, ...env });
      const warnings = stdout.split('\n').filter((line) => line.startsWith('::warning::'));
      assert.equal(warnings.length, 1, stdout);
      assert.ok(warnings[0]?.startsWith(`::warning::A secret is part of the value ${where}: GitHub`));
      assert.ok(warnings[0]?.includes('Choose a longer password'));
    });
  }
});

test('a password in a URL of an inventory is told to the platform before its value is refused', async () => {
  const path = join(folder, 'url.yml');
  const url = 'https://ann:hunter%2022@shop.example/web from nowhere';
  const host = { dbname: 'shop', 'odoo_backup_health-check': 'x', odoo_backup_health_check: url };
  await writeFile(path, JSON.stringify({ shops: { hosts: { one: host } } }));
  const secrets: string[] = [];
  const given: Record<string, string> = { ...fewestInputs, command: 'rollback', inventory: path };
  const read = (name: string) => given[name] ?? '';
  assert.throws(() => parseInputs(read, fewestVariables, (secret) => secrets.push(secret)), /health-check/);
  assert.deepEqual([...new Set(secrets)].sort(), ['hunter 22', 'hunter%2022']);
});

test('an error of the machine that runs the program says so', () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  assert.match(
    describeError(full).join('\n'),
    /^Unexpected error: ENOSPC.*\nThe disk of the machine .* full/,
  );
});
