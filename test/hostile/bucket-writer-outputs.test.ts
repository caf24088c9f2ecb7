import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { parseCommandLine } from '../../src/inputs/command-line/read.ts';
import { dotenvFile, gitlabPlatform, jsonFile } from '../../src/platform/gitlab.ts';
import { terminalPlatform } from '../../src/platform/terminal.ts';

/** What a receipt, or the name of a database, may try to add to an output. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\n',
        '\r',
        '\r\n',
        '\0',
        '\x85',
        '\u2028',
        '\v',
        '=',
        ' ',
        '$',
        '$$',
        '%',
        '${',
        '}',
        '#',
      ),
      fc.constantFrom(
        'BASH_ENV=/tmp/x',
        'NODE_OPTIONS',
        'ghadelimiter_',
        '<<',
        '::add-mask::x',
        '##[',
        '17.0',
      ),
      fc.string({ unit: 'binary', maxLength: 4 }),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''));

const unfit = /[\x00-\x1f\x7f-\x9f\u2028-\u202e]/;

/** As GitLab reads a dotenv report (Ci::ParseDotenvArtifactService): lines by `\n`, the name up to the first `=`. */
function dotenvVariables(text: string): Record<string, string> {
  const lines = text.split('\n').slice(0, -1);
  return Object.fromEntries(
    lines.map((line) => {
      const [, name, value] = /^(.*?)=(.*)$/.exec(line) ?? [];
      assert.ok(name !== undefined && value !== undefined, 'GitLab refuses the whole report');
      return [name.trim(), value.trim()];
    }),
  );
}

/** What is in the files and on the screen of a job in which outputs were given. */
async function gitlabJob(values: Readonly<Record<string, string>>) {
  const [before, folder] = [process.cwd(), await mkdtemp(join(tmpdir(), 'gitlab-'))];
  process.chdir(folder);
  try {
    const stdout = new PassThrough();
    const platform = gitlabPlatform(parseCommandLine([], {}), {}, stdout);
    platform.prepare();
    for (const [name, value] of Object.entries(values)) platform.output(name, value);
    await platform.finish();
    const read = (name: string) => readFile(join(folder, name), 'utf8').catch(() => '');
    return { dotenv: await read(dotenvFile), json: await read(jsonFile), log: String(stdout.read() ?? '') };
  } finally {
    process.chdir(before);
    await rm(folder, { recursive: true });
  }
}

async function terminalRun(values: Readonly<Record<string, string>>) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const platform = terminalPlatform(parseCommandLine([], {}), {}, { stdout, stderr });
  for (const [name, value] of Object.entries(values)) platform.output(name, value);
  await platform.finish();
  return { stdout: String(stdout.read() ?? ''), log: String(stderr.read() ?? '') };
}

const attack = '17.0\nBASH_ENV=/tmp/evil';
const receipt = JSON.stringify({ version: attack, name: '\x9b2J\u202e ##[add-mask]x' });

describe('a line break in a value', () => {
  test('is no other variable of GitLab’s, and the log says what is left out', async () => {
    const { dotenv, json, log } = await gitlabJob({ 'odoo-version': attack, size: '1', json: receipt });
    assert.equal(dotenv, 'ODOO_BACKUP_RESULT_SIZE=1\n');
    assert.deepEqual(JSON.parse(json), JSON.parse(receipt));
    assert.match(log, /WARNING: The output odoo-version is left out: its value has a line break/);
  });

  test('is no other line of a script’s', async () => {
    const { stdout, log } = await terminalRun({ 'odoo-version': attack, json: receipt });
    assert.equal(stdout.match(/\n/g)?.length, 1);
    assert.deepEqual(JSON.parse(stdout.replace(/^json=/, '')), JSON.parse(receipt));
    assert.match(log, /warning: The output odoo-version is left out/);
  });

  test('is no other output of GitHub’s', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'github-'));
    t.after(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'output'), '');
    const values = [
      ...fc.sample(hostile, { numRuns: 200, seed: 1 }).map((value) => ['key', value]),
      ['odoo-version', attack],
      ['json', receipt],
      ['size', '1'],
    ];
    await writeFile(join(folder, 'values.json'), JSON.stringify(values));
    const module = new URL('../../src/platform/github.ts', import.meta.url);
    const program = `
      import { readFileSync } from 'node:fs';
      import { githubPlatform } from '${module}';
      const platform = githubPlatform(process.env);
      platform.prepare();
      for (const [name, value] of JSON.parse(readFileSync('${folder}/values.json', 'utf8'))) platform.output(name, value);
      await platform.finish();`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
      env: { GITHUB_OUTPUT: join(folder, 'output') },
    });
    const file = await readFile(join(folder, 'output'), 'utf8');
    // `prepare` tries with an empty line whether there is room; the runner passes over it.
    const lines = file.replace(/^\n/, '').split('\n').slice(0, -1);
    assert.equal(lines.length % 3, 0);
    for (let at = 0; at < lines.length; at += 3) {
      const [, delimiter] = /^(?:key|json|size)<<(ghadelimiter_[0-9a-f-]{36})$/.exec(lines[at] ?? '') ?? [];
      assert.equal(lines[at + 2], delimiter);
      assert.doesNotMatch(lines[at + 1] ?? '', unfit);
    }
    assert.match(stdout, /^::warning::The output odoo-version is left out/m);
  });
});

test('whatever a value is, GitLab’s report holds its own variables alone, with that value or without it', async () => {
  await fc.assert(
    fc.asyncProperty(hostile, hostile, async (database, uri) => {
      const { dotenv } = await gitlabJob({ database, uri, size: '1' });
      const given = dotenvVariables(dotenv);
      assert.equal(given.ODOO_BACKUP_RESULT_SIZE, '1');
      const names = ['ODOO_BACKUP_RESULT_DATABASE', 'ODOO_BACKUP_RESULT_SIZE', 'ODOO_BACKUP_RESULT_URI'];
      for (const name of Object.keys(given)) assert.ok(names.includes(name), name);
      const value = given.ODOO_BACKUP_RESULT_DATABASE;
      // GitLab expands variables in a value: $AWS_SECRET_ACCESS_KEY would be the secret.
      if (value !== undefined) assert.doesNotMatch(value, /[$%]/);
      if (value !== undefined) assert.equal(value, database.trim());
    }),
    { numRuns: 50 },
  );
});

test('more than GitLab takes leaves out what is too much, and not the whole report', async () => {
  const { dotenv, log } = await gitlabJob({ key: 'k', database: 'x'.repeat(6000), uri: 's3://b/k' });
  assert.deepEqual(Object.values(dotenvVariables(dotenv)), ['k', 's3://b/k']);
  assert.match(log, /The output database is left out: GitLab takes 5 KiB/);
});

test('whatever a value is, a script reads one line an output', async () => {
  await fc.assert(
    fc.asyncProperty(hostile, async (database) => {
      const { stdout } = await terminalRun({ database, json: JSON.stringify(database) });
      const lines = stdout.split('\n').slice(0, -1);
      for (const line of lines) assert.match(line, /^(database|json)=/);
      assert.doesNotMatch(stdout.replaceAll('\n', ''), unfit);
      assert.equal(JSON.parse(lines.at(-1)?.replace(/^json=/, '') ?? ''), database);
    }),
  );
});
