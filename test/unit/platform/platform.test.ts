import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, test } from 'node:test';
import { parseCommandLine } from '../../../src/inputs/command-line/read.ts';
import { dotenvFile, gitlabPlatform, htmlFile, jsonFile, linksFile } from '../../../src/platform/gitlab.ts';
import { Mask } from '../../../src/platform/mask.ts';
import { describeError, detectPlatform, exitCodeOf, type Platform } from '../../../src/platform/platform.ts';
import { terminalPlatform } from '../../../src/platform/terminal.ts';
import { code, type Summary } from '../../../src/report/summary.ts';
import { CancelledError, InputError, UserError } from '../../../src/util/errors.ts';

/** A stream that keeps what is written to it. */
class Screen extends PassThrough {
  readonly isTTY: boolean;
  readonly columns = 40;

  constructor(isTTY = false) {
    super();
    this.isTTY = isTTY;
  }

  get text(): string {
    return String(this.read() ?? '');
  }
}

const noFlags = parseCommandLine([], {});

const summary: Summary = {
  outcome: 'done',
  title: 'Backup',
  blocks: [{ kind: 'facts', rows: [['Key', code('hunter22')]] }],
};

/** A run that says everything there is to say once. */
async function story(platform: Platform): Promise<void> {
  platform.secret('hunter22');
  await platform.group('Connect', async () => {
    platform.info('as deploy with hunter22\nto 203.0.113.5');
    platform.progress('1 of 2');
    platform.progress('2 of 2');
    platform.warning('slow');
  });
  platform.notice('done');
  platform.output('odoo-version', '17.0');
  platform.output('json', '{"a":1}');
  await platform.summary(summary);
  platform.fail(new UserError('No bucket hunter22', 'Create it.', { cause: new Error('404') }));
}

describe('the platform is told by the environment', () => {
  const cases: [Record<string, string>, string][] = [
    [{}, 'terminal'],
    [{ CI: 'true' }, 'terminal'],
    [{ GITLAB_CI: 'true' }, 'gitlab'],
    [{ GITHUB_ACTIONS: 'true', INPUT_COMMAND: '' }, 'github'],
    [{ GITHUB_ACTIONS: 'true' }, 'terminal'], // the program in a `run:` step
  ];
  for (const [env, expected] of cases) {
    test(`${JSON.stringify(env)} → ${expected}`, () => assert.equal(detectPlatform(env), expected));
  }
});

describe('exit codes', () => {
  const cases: [unknown, number][] = [
    [new UserError('', ''), 1],
    [new Error(), 1],
    [undefined, 1],
    [new InputError('', ''), 2],
    [new CancelledError('', '', 'SIGINT'), 130],
    [new CancelledError('', '', 'SIGTERM'), 143],
    [new CancelledError('the timeout', ''), 1],
  ];
  for (const [error, code] of cases) test(`${error} → ${code}`, () => assert.equal(exitCodeOf(error), code));
});

describe('errors for people', () => {
  const unforeseen =
    'What was done until then stands above. Run the command again; if it fails in the same way, report it with these lines:';
  const refused = new Error('connect ECONNREFUSED ::1:22');
  const cases: [string, unknown, string[]][] = [
    ['message and hint', new UserError('What', 'Do this.'), ['What', 'Do this.']],
    [
      'a chain of causes',
      new UserError('What', 'Do this.', { cause: new Error('why', { cause: new Error('deeper') }) }),
      ['What', 'because: why', 'because: deeper', 'Do this.'],
    ],
    [
      'a cause that the message has already',
      new UserError('No connection: refused', 'Do this.', { cause: new Error('refused') }),
      ['No connection: refused', 'Do this.'],
    ],
    [
      'several errors that count as one',
      new UserError('What', 'Do this.', { cause: new AggregateError([refused, new Error('timed out')]) }),
      ['What', 'because: connect ECONNREFUSED ::1:22', 'because: timed out', 'Do this.'],
    ],
    ['no error at all', 'a string', ['Unexpected error: a string', unforeseen]],
    ['nothing', undefined, ['Unexpected error: undefined', unforeseen]],
    [
      'what cannot be shown',
      Object.create(null),
      ['Unexpected error: an error that cannot be shown', unforeseen],
    ],
    ['an empty text', '', ['Unexpected error: an error without a message', unforeseen]],
    [
      'several errors without a message of their own',
      new UserError('What', 'Do this.', { cause: new AggregateError([refused]) }),
      ['What', 'because: connect ECONNREFUSED ::1:22', 'Do this.'],
    ],
    [
      'a cause that says nothing',
      new UserError('What', 'Do this.', { cause: new Error('UnknownError') }),
      ['What', 'Do this.'],
    ],
  ];
  for (const [title, error, expected] of cases)
    test(title, () => assert.deepEqual(describeError(error), expected));

  test('what nobody foresaw shows where it was thrown', () => {
    assert.match(
      describeError(new TypeError('x is undefined')).join('\n'),
      /^Unexpected error: x is undefined\nWhat was done .*platform\.test\.ts/s,
    );
  });
});

describe('masking', () => {
  const cases: [string, string[], string, string][] = [
    ['every occurrence', ['abc'], 'abc xabcx', '*** x***x'],
    ['line by line', ['first line\r\nsecond line\n'], 'a first line, a second line', 'a ***, a ***'],
    ['the longer secret first', ['pass', 'password'], 'password pass', '*** ***'],
    ['characters that mean something in patterns', ['a.c$&'], 'abc a.c$&', 'abc ***'],
    ['nothing for what is too short to be a secret', ['', 'ab', '\n'], 'ab', 'ab'],
  ];
  for (const [title, secrets, text, expected] of cases) {
    test(title, () => {
      const mask = new Mask();
      for (const secret of secrets) mask.add(secret);
      assert.equal(mask.apply(text), expected);
    });
  }
});

describe('terminal', () => {
  test('a script gets the outputs, and the log beside them, in lines', async () => {
    const [stdout, stderr] = [new Screen(), new Screen()];
    await story(terminalPlatform(noFlags, {}, { stdout, stderr }));
    assert.equal(stdout.text, 'odoo-version=17.0\njson={"a":1}\n');
    assert.equal(
      stderr.text,
      `Connect
  as deploy with ***
  to 203.0.113.5
  1 of 2
  2 of 2
  warning: slow
done

✅ Backup

Key  ***
error: No bucket ***
  because: 404
  Create it.
`,
    );
  });

  test('a person gets progress in place, with a bar', () => {
    const [stdout, stderr] = [new Screen(true), new Screen(true)];
    const platform = terminalPlatform(noFlags, { NO_COLOR: '1', LANG: 'C.UTF-8' }, { stdout, stderr });
    platform.secret('hunter22');
    platform.progress(`hunter22 ${'.'.repeat(60)}`);
    platform.progress('2 of 4', { fraction: 0.5, step: 'step 3 of 8' });
    platform.info('done');
    platform.output('key', 'value');
    const bar = '█████░░░░░ 50 % · step 3 of 8 · 2 of 4';
    assert.equal(stderr.text, `\r\x1b[K*** ${'.'.repeat(34)}…\r\x1b[K${bar}\r\x1b[Kdone\n`);
    assert.equal(stdout.text, '');
  });

  test('a line that is too long goes on below, between its words', () => {
    const [stdout, stderr] = [new Screen(true), new Screen(true)];
    const platform = terminalPlatform(noFlags, { NO_COLOR: '1' }, { stdout, stderr });
    platform.info(
      `データベース 😀 shop is on the host, and so is its filestore; s3://${'x'.repeat(40)} is not`,
    );
    assert.equal(
      stderr.text,
      `データベース 😀 shop is on the host, and\n  so is its filestore;\n  s3://${'x'.repeat(40)}\n  is not\n`,
    );
  });

  test('warnings and errors have colours, which NO_COLOR takes away', () => {
    const told = (env: Record<string, string>) => {
      const [stdout, stderr] = [new Screen(true), new Screen(true)];
      const platform = terminalPlatform(noFlags, env, { stdout, stderr });
      platform.warning('slow');
      platform.fail(new UserError('No', 'Do.'));
      return stderr.text;
    };
    assert.equal(told({}), '\x1b[33mwarning: slow\x1b[39m\n\x1b[31merror: No\n  Do.\x1b[39m\n');
    assert.equal(told({ NO_COLOR: '1' }), 'warning: slow\nerror: No\n  Do.\n');
  });

  describe('standard output', () => {
    const shown = async (argv: readonly string[], isTTY: boolean) => {
      const [stdout, stderr] = [new Screen(isTTY), new Screen(isTTY)];
      const line = parseCommandLine(argv, {});
      const platform = terminalPlatform(line, { NO_COLOR: '1' }, { stdout, stderr });
      platform.output('size', '1');
      platform.output('json', '[1]');
      await platform.summary(summary);
      return { stdout: stdout.text, stderr: stderr.text };
    };
    const text = '✅ Backup\n\nKey  hunter22\n';
    test('a person reads the summary there', async () =>
      assert.deepEqual(await shown(['backup'], true), { stdout: `\n${text}`, stderr: '' }));
    test('a program reads lines', async () =>
      assert.deepEqual(await shown(['backup'], false), {
        stdout: 'size=1\njson=[1]\n',
        stderr: `\n${text}`,
      }));
    test('list is there to be read, by a pager as well', async () =>
      assert.deepEqual(await shown(['list'], false), { stdout: text, stderr: '' }));
    for (const isTTY of [true, false])
      test(`--json is JSON and nothing else, ${isTTY ? 'for a person' : 'for a program'}`, async () =>
        assert.deepEqual(await shown(['list', '--json'], isTTY), {
          stdout: '[1]\n',
          stderr: isTTY ? '' : `\n${text}`,
        }));
  });

  test('a group ends with what it throws', async () => {
    const [stdout, stderr] = [new Screen(), new Screen()];
    const platform = terminalPlatform(noFlags, {}, { stdout, stderr });
    await assert.rejects(
      platform.group('one', () => Promise.reject(new Error('x'))),
      { message: 'x' },
    );
    platform.info('after');
    assert.equal(stderr.text, 'one\nafter\n');
  });
});

/** In a working folder of its own, where GitLab's files are written. */
async function inFolder(body: () => Promise<void>): Promise<void> {
  const before = process.cwd();
  const folder = await mkdtemp(join(tmpdir(), 'gitlab-'));
  process.chdir(folder);
  try {
    await body();
  } finally {
    process.chdir(before);
    await rm(folder, { recursive: true });
  }
}

test('GitLab: collapsed sections, a dotenv file, the JSON and a page', () =>
  inFolder(async () => {
    const stdout = new Screen();
    await story(gitlabPlatform(noFlags, {}, stdout, () => 1_700_000_000_123));
    assert.equal(
      stdout.text,
      `\x1b[0Ksection_start:1700000000:odoo_backup_1[collapsed=true]\r\x1b[0KConnect
as deploy with ***
to 203.0.113.5
1 of 2
2 of 2
\x1b[33mWARNING: slow\x1b[0m
\x1b[0Ksection_end:1700000000:odoo_backup_1\r\x1b[0K
done

✅ Backup

Key  ***
\x1b[31mERROR: No bucket ***
  because: 404
  Create it.\x1b[0m
`,
    );
    assert.equal(await readFile(dotenvFile, 'utf8'), 'ODOO_BACKUP_RESULT_ODOO_VERSION=17.0\n');
    assert.equal(await readFile(jsonFile, 'utf8'), '{"a":1}');
    const page = await readFile(htmlFile, 'utf8');
    assert.match(page, /<h2>✅ Backup<\/h2>.*<code>\*\*\*<\/code>.*<h2>❌ No bucket \*\*\*<\/h2>/s);
    assert.doesNotMatch(page, /hunter22/);
  }));

describe('GitLab: links beside the log', () => {
  const job = { CI_JOB_URL: 'https://gitlab.example.com/acme/odoo/-/jobs/7' };
  const report = { label: 'Report', url: `${job.CI_JOB_URL}/artifacts/file/odoo-backup.html` };
  const console = 'https://eu-west-1.console.aws.amazon.com/s3/object/b?region=eu-west-1&prefix=acme%2Fa.zip';
  const archive = { label: 'Archive in S3', url: console };
  const cases: [Record<string, string>, { label: string; url: string }[]][] = [
    [job, [report]],
    [{ ...job, AWS_REGION: 'eu-west-1' }, [report, archive]],
    [{ ...job, ODOO_BACKUP_AWS_REGION: 'eu-west-1' }, [report, archive]],
    [{ ...job, AWS_REGION: 'eu-west-1', ODOO_BACKUP_S3_ENDPOINT: 'https://s3.example.com' }, [report]],
  ];
  for (const [env, links] of cases) {
    test(JSON.stringify(env), () =>
      inFolder(async () => {
        const platform = gitlabPlatform(parseCommandLine([], env), env, new Screen());
        platform.output('uri', 's3://b/acme/a.zip');
        await platform.summary(summary);
        assert.deepEqual(JSON.parse(await readFile(linksFile, 'utf8')), {
          'Odoo backup': links.map((link) => ({ external_link: link })),
        });
      }),
    );
  }
});

test('GitLab: a line of the host cannot be a section of the log', () => {
  const stdout = new Screen();
  gitlabPlatform(noFlags, {}, stdout).info(
    '\x1b[0Ksection_end:1:odoo_backup_1\r\x1b[0Kall is well\n\tindented',
  );
  assert.equal(stdout.text, '\\x1b[0Ksection_end :1:odoo_backup_1\\x0d\\x1b[0Kall is well\n\tindented\n');
});

test('GitLab: what a job before has left is not taken for this one’s', () =>
  inFolder(async () => {
    const files = [dotenvFile, jsonFile, htmlFile, linksFile];
    for (const file of files) await writeFile(file, 'of another job');
    gitlabPlatform(noFlags, {}, new Screen()).prepare();
    assert.deepEqual(await readdir('.'), []);
  }));

test('GitLab: who and what made the backup', () => {
  const env = {
    GITLAB_USER_LOGIN: 'ann',
    CI_PROJECT_PATH: 'acme/odoo',
    CI_COMMIT_SHA: 'c0ffee',
    CI_COMMIT_REF_NAME: 'main',
    CI_JOB_URL: 'https://gitlab.example.com/acme/odoo/-/jobs/7',
  };
  assert.deepEqual(gitlabPlatform(noFlags, env, new Screen()).run, {
    platform: 'gitlab',
    actor: 'ann',
    repository: 'acme/odoo',
    commit: 'c0ffee',
    ref: 'main',
    url: 'https://gitlab.example.com/acme/odoo/-/jobs/7',
  });
});
