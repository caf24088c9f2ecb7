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
import { gitlabPlatform, htmlFile } from '../../src/platform/gitlab.ts';
import { logText } from '../../src/platform/log-text.ts';
import type { Environment, Platform } from '../../src/platform/platform.ts';
import { terminalPlatform } from '../../src/platform/terminal.ts';
import { htmlOf } from '../../src/report/html.ts';
import { markdownOf } from '../../src/report/markdown.ts';
import { plainText } from '../../src/report/plain.ts';
import { code, type Summary } from '../../src/report/summary.ts';
import { printable, printableJson } from '../../src/util/controls.ts';

/** Texts made of what has a meaning to a terminal, a runner or a reader. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '::',
        ':',
        '##[',
        '#',
        '[',
        ']',
        '\n',
        '\r',
        '\r\n',
        '\t',
        ' ',
        '\x85',
        '\xa0',
        '\u2028',
      ),
      fc.constantFrom('\x1b[31m', '\x9b2J', '\x00', '\x7f', '\u202e', '\u2066', '\u061c', '\u200f', '\ufeff'),
      fc.constantFrom('add-mask::y', 'error]z', 'section_end:1:a\r\x1b[0K', '`', '|', '<script>', '***', 'x'),
      fc.string({ unit: 'binary', maxLength: 4 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

const controls = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

/** A line that GitHub's runner takes for a command: .NET's TrimStart takes U+0085 for white space as well. */
const isCommand = (line: string) => /^[\s\x85]*::/.test(line) || line.includes('##[');
const linesOf = (text: string) => text.split(/\r\n|\r|\n/);

function said(env: Environment, say: (platform: Platform) => void): string {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  say(terminalPlatform(parseCommandLine([], {}), env, { stdout, stderr }));
  return String(stderr.read() ?? '');
}

const summaryOf = (text: string): Summary => ({
  outcome: 'done',
  title: text,
  blocks: [
    { kind: 'facts', rows: [[text, [text, code(text)]]] },
    { kind: 'table', columns: [{ name: 'Name' }], rows: [[text], [code(text)]] },
    { kind: 'note', text },
    { kind: 'steps', title: text, items: [text, code(text)] },
    { kind: 'printed', title: text, lines: [text, `  ${text}`] },
    { kind: 'waterfall', title: text, bars: [{ name: text, state: text, startMs: 0, ms: 1000 }] },
    { kind: 'cards', cards: [{ name: text, outcome: 'done', words: text, nights: [] }] },
  ],
});

describe('whatever a text holds', () => {
  test('no control character of it is shown, and all that can be read stays', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        assert.doesNotMatch(printable(text), controls);
        const [left, right] = [text, printable(text)].map((each) => each.replaceAll(/[^a-z]/g, ''));
        assert.ok((right ?? '').length >= (left ?? '').length);
      }),
    );
  });

  test('in a `run:` step of a GitHub workflow no line of the log is a command', () => {
    const says: ((platform: Platform, text: string) => unknown)[] = [
      (platform, text) => platform.info(text),
      (platform, text) => platform.notice(text),
      (platform, text) => platform.warning(text),
      (platform, text) => platform.progress(text),
      (platform, text) => platform.summary(summaryOf(text)),
      (platform, text) => platform.fail(new Error('x', { cause: text })),
      (platform, text) =>
        platform.group(text, async () => {
          platform.info(text);
          platform.info(text);
        }),
    ];
    fc.assert(
      fc.property(hostile, fc.constantFrom(...says), (text, say) => {
        const log = said({ GITHUB_ACTIONS: 'true' }, (platform) => void say(platform, text));
        assert.doesNotMatch(log, controls);
        assert.deepEqual(linesOf(log).filter(isCommand), []);
      }),
    );
  });

  test('a section of GitLab’s log is begun and ended by the program alone', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        assert.doesNotMatch(logText({ GITLAB_CI: 'true' })(text), /section_(start|end):/);
      }),
    );
  });

  test('a summary shows none of it as Markdown, HTML or text', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const summary = summaryOf(text);
        const texts = [markdownOf(summary), htmlOf(text, [summary]), plainText(summary)];
        for (const each of texts) assert.doesNotMatch(each, controls);
        assert.doesNotMatch(texts[1] ?? '', /<script/);
        assert.equal(markdownOf(summary).match(/^```/gm)?.length, 2);
      }),
    );
  });

  test('JSON without control characters means the same', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const json = printableJson(JSON.stringify({ text }));
        assert.doesNotMatch(json, controls);
        assert.deepEqual(JSON.parse(json), { text });
      }),
    );
  });
});

test('what others print before `::` does not make it a command', () => {
  for (const before of ['', '\r', '\n', '\x85', '\xa0', '\u2028', '\u3000', '\x1b[2K', '\v', '\f', '\0']) {
    const log = said({ GITHUB_ACTIONS: 'true' }, ({ info }) => info(`${before}::add-mask::x`));
    assert.deepEqual(linesOf(log).filter(isCommand), [], JSON.stringify(before));
    assert.match(log, /add-mask/);
  }
});

test('in a step of the action only the program’s own commands are ones', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'github-'));
  t.after(() => rm(folder, { recursive: true }));
  const texts = fc.sample(hostile, { numRuns: 200, seed: 1 });
  await writeFile(join(folder, 'texts.json'), JSON.stringify(texts));
  await writeFile(join(folder, 'summary'), '');
  const module = new URL('../../src/platform/github.ts', import.meta.url);
  const program = `
    import { readFileSync } from 'node:fs';
    import { githubPlatform } from '${module}';
    const platform = githubPlatform(process.env);
    for (const text of JSON.parse(readFileSync('${folder}/texts.json', 'utf8'))) {
      platform.info(text); platform.progress(text); platform.notice(text); platform.warning(text);
      platform.fail(text);
      await platform.group(text, async () => { platform.info(text); platform.info(text); });
      await platform.summary({ outcome: 'done', title: text, blocks: [{ kind: 'note', text }] });
    }`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
    env: { GITHUB_STEP_SUMMARY: join(folder, 'summary') },
    maxBuffer: 1e8,
  });
  assert.doesNotMatch(stdout, controls);
  const names = linesOf(stdout).flatMap((line) => (isCommand(line) ? [/^::(\w+)::/.exec(line)?.[1]] : []));
  assert.deepEqual([...new Set(names)].sort(), ['endgroup', 'error', 'group', 'notice', 'warning']);
  assert.equal(names.length, texts.length * 5);
  assert.doesNotMatch(await readFile(join(folder, 'summary'), 'utf8'), controls);
});

describe('a secret is not shown', () => {
  const secret = 'it\'s <p&ss>_w|rd: 50% "öäü"';
  const forms: Readonly<Record<string, string>> = {
    'as it is': secret,
    'in a URL': encodeURIComponent(secret),
    'in a form': encodeURIComponent(secret).replaceAll('%20', '+'),
    'in JSON': JSON.stringify(secret),
    'in SQL': `'${secret.replaceAll("'", "''")}'`,
    'in a shell command': `'${secret.replaceAll("'", "'\\''")}'`,
    'in base64': Buffer.from(secret).toString('base64'),
  };
  for (const [form, text] of Object.entries(forms)) {
    test(form, () => {
      const log = said({}, (platform) => {
        platform.secret(secret);
        platform.info(`before ${text} after`);
      });
      assert.match(log, /^before ['"]?\*\*\*['"=]* after\n$/);
    });
  }

  test('in a page, whose markup escapes it', async (t) => {
    const [before, folder] = [process.cwd(), await mkdtemp(join(tmpdir(), 'gitlab-'))];
    process.chdir(folder);
    t.after(async () => {
      process.chdir(before);
      await rm(folder, { recursive: true });
    });
    const platform = gitlabPlatform(parseCommandLine([], {}), {}, new PassThrough());
    platform.secret(secret);
    await platform.summary(summaryOf(`before ${secret} after`));
    platform.fail(new Error(secret));
    const page = await readFile(htmlFile, 'utf8');
    assert.match(page, /before \*\*\* after/);
    assert.doesNotMatch(page, /w\|rd/);
  });
});
