import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { code, type Summary } from '../../../src/report/summary.ts';
import { compileCache } from '../../support/compile-cache.ts';

const summary: Summary = {
  outcome: 'done',
  title: 'Backup',
  blocks: [{ kind: 'facts', rows: [['Key', code('hunter22')]] }],
};

describe('GitHub', { concurrency: true }, () => {
  /** Runs `body` with a platform in a process of its own, as the runner would. */
  async function inStep(body: string, env: Record<string, string> = {}): Promise<string> {
    const module = new URL('../../../src/platform/github.ts', import.meta.url);
    const code = `import { githubPlatform } from '${module}'; const platform = githubPlatform(process.env); ${body}`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], {
      env: { NODE_COMPILE_CACHE: compileCache, ...env },
      maxBuffer: 2 ** 24,
    });
    return stdout;
  }

  test('workflow commands', async () => {
    const log = await inStep(`
      platform.secret('first line\\nsecond line');
      await platform.group('Connect', async () => {
        platform.info('::stop-commands::x\\n  ::add-mask::y ##[error]z ::ok');
        platform.progress('1 of 2');
        platform.warning('slow');
      });
      await platform.group('Look', async () => {});
      await platform.group('Verify', async () => platform.info('MD5 of every part'));
      platform.notice('done');
      platform.fail(Object.assign(new Error('a\\nb', { cause: 'why' }), { stack: '' }));`);
    assert.equal(
      log.replaceAll(/\(\d+ ms\)/g, '(1 ms)'),
      `::add-mask::first line%0Asecond line
::add-mask::first line
::add-mask::second line
::group::Connect
: :stop-commands::x
  : :add-mask::y # #[error]z ::ok
1 of 2
::warning::slow
::endgroup::
Look (1 ms)
Verify: MD5 of every part (1 ms)
::notice::done
::error::Unexpected error: a%0Ab%0Abecause: why%0AWhat was done until then stands above. Run the command again; if it fails in the same way, report it with these lines:
`,
    );
  });

  test('inputs, outputs, summary and identity', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'github-'));
    try {
      const files = { GITHUB_OUTPUT: join(folder, 'output'), GITHUB_STEP_SUMMARY: join(folder, 'summary') };
      await Promise.all(Object.values(files).map((path) => promisify(execFile)('touch', [path])));
      const log = await inStep(
        `platform.output('odoo-version', '17.0');
         await platform.summary(${JSON.stringify(summary)});
         console.log(JSON.stringify([platform.input('ssh-host'), platform.input('database'), platform.run]));`,
        {
          ...files,
          'INPUT_SSH-HOST': ' host ',
          GITHUB_SERVER_URL: 'https://github.com',
          GITHUB_REPOSITORY: 'acme/odoo',
          GITHUB_RUN_ID: '7',
          GITHUB_RUN_ATTEMPT: '2',
          GITHUB_ACTOR: 'ann',
          GITHUB_SHA: 'c0ffee',
          GITHUB_REF: 'refs/heads/main',
        },
      );
      const url = 'https://github.com/acme/odoo/actions/runs/7/attempts/2';
      const run = { platform: 'github', actor: 'ann', repository: 'acme/odoo', commit: 'c0ffee' };
      assert.deepEqual(JSON.parse(log.trim().split('\n').at(-1) ?? ''), [
        'host',
        '',
        { ...run, ref: 'refs/heads/main', url },
      ]);
      assert.match(await readFile(files.GITHUB_OUTPUT, 'utf8'), /^odoo-version<<(\S+)\n17\.0\n\1\n$/);
      assert.equal(
        await readFile(files.GITHUB_STEP_SUMMARY, 'utf8'),
        '### ✅ Backup\n\n<table>\n<tr><th align="left" scope="row">Key</th><td><code>hunter22</code></td></tr>\n</table>\n\n',
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('a page for an artifact, also of a run that fails', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'github-'));
    t.after(() => rm(folder, { recursive: true }));
    const files = { GITHUB_OUTPUT: join(folder, 'output'), GITHUB_STEP_SUMMARY: join(folder, 'summary') };
    await writeFile(files.GITHUB_OUTPUT, '');
    await inStep(
      "platform.secret('hunter22'); platform.fail(new Error('hunter22 is wrong'), 'Nothing was touched.');",
      {
        ...files,
        RUNNER_TEMP: folder,
      },
    );
    const [, path = ''] = /^page<<\S+\n(.*)\n/.exec(await readFile(files.GITHUB_OUTPUT, 'utf8')) ?? [];
    const page = await readFile(path, 'utf8');
    assert.match(page, /<h2>❌ Unexpected error: \*\*\* is wrong<\/h2>/);
    assert.match(page, /Left as it was<\/th><td>Nothing was touched\./);
    assert.match(
      await readFile(files.GITHUB_STEP_SUMMARY, 'utf8'),
      /### ❌ Unexpected error: \\\*\\\*\\\* is wrong/,
    );
  });

  test('a summary of more than GitHub takes is cut after a line, and is whole in the log', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'github-'));
    t.after(() => rm(folder, { recursive: true }));
    const file = join(folder, 'summary');
    await writeFile(file, 'of an earlier command\n'.repeat(1000));
    const log = await inStep(
      `const rows = Array.from({ length: 20_000 }, (_, i) => [String(i), 'é'.repeat(50)]);
       const columns = [{ name: 'a' }, { name: 'b' }];
       await platform.summary({ outcome: 'done', title: 'Long', blocks: [{ kind: 'table', columns, rows }] });`,
      { GITHUB_STEP_SUMMARY: file },
    );
    const written = await readFile(file, 'utf8');
    assert.ok(Buffer.byteLength(written) <= 1024 ** 2, 'GitHub would drop it');
    assert.ok(Buffer.byteLength(written) > 1024 ** 2 - 300, 'more would have fit');
    assert.match(written, /\| \d+ \| é{50} \|\n\nThere is more: the rest is in the log\.\n+$/);
    assert.match(log, /::warning::The job summary is longer than GitHub takes, 1 MiB/);
    assert.match(log, /^19999 +é{50}$/m);
  });

  test('outputs that could not be written are told before anything is begun', async () => {
    for (const GITHUB_OUTPUT of ['/dev/full', '/nowhere/output', '']) {
      const body = "try { platform.prepare(); console.log('begun') } catch (error) { platform.fail(error) }";
      const log = await inStep(body, { GITHUB_OUTPUT });
      assert.match(log, /^::error::The outputs of this step cannot be written: .*Nothing was touched/);
    }
  });

  test('a summary that cannot be written is a warning', async () => {
    assert.match(
      await inStep(`await platform.summary(${JSON.stringify(summary)})`),
      /^::warning::The job summary could not be written: /,
    );
  });
});
