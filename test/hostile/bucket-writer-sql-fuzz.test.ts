import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { buffer } from 'node:stream/consumers';
import { after, before, suite, test } from 'node:test';
import fc from 'fast-check';
import { SqlScanner } from '../../src/backup-reader/sql-scanner.ts';
import { restricted } from '../../src/postgres/foreign-sql.ts';
import { ContentError } from '../../src/util/errors.ts';
import { createDatabase, dropDatabase, psql, uniqueName } from '../support/postgres.ts';
import { useSandbox } from '../support/sandbox.ts';

// Compares the scanner with the program that it imitates: texts that it lets pass go through a real psql, in which no
// command of psql may run. `npm run test:fuzz` does it for minutes, with another seed each time; FUZZ_SEED repeats one.

/** Prints a line of its own where psql runs it, which no text of SQL does. */
const COMMAND = '\\echo CAN ARY\n';
const RAN = /^CAN ARY/m;
/** psql complains so of its own commands; the server's errors say ERROR. */
const COMPLAINED = /^psql:<stdin>:\d+: error: /m;
const AT_REST = 'the script ends here';

const ENCODINGS = ['UTF8', 'SJIS', 'BIG5', 'GBK', 'UHC', 'GB18030', 'JOHAB', 'LATIN1', 'SQL_ASCII', 'EUC_JP'];

/** Bytes as Latin 1. */
const token = fc.constantFrom(
  ...["'", '"', '$$', '$a$', '$', '\\', COMMAND, '\n', '\r', ' ', ';', '(', ')', '--', '/*', '*/', ':', '::'],
  ...[
    "E'",
    "U&'",
    'U&"',
    "''",
    "\\'",
    '\\\\',
    'e',
    '1',
    'a',
    '_',
    '1$$',
    'a$$',
    '0',
    '-',
    '/',
    '*',
    '\t',
    ',',
  ],
  ...[
    'select ',
    'copy ',
    'create ',
    'or ',
    'function ',
    'case ',
    'end ',
    'SELECT 1;\n',
    '\\.\n',
    '\\restrict x\n',
  ],
  ...[
    '\x81',
    '\x8f',
    '\xa0',
    '\xc3\xa9',
    '\xc3\xa0',
    '\xe3\x81\x82',
    '\xff',
    '\x810',
    '\x8fx',
    '\xef\xbb\xbf',
  ],
);
const rare = fc.oneof(
  fc.constantFrom('\0', '\\unrestrict x\n', '\f', '\v', '\x7f'),
  // psql reads 1,023 bytes of a script at a time, and 8,192 of a COPY's data.
  fc.nat(40).map((n) => 'x'.repeat(1000 + n)),
  fc.nat(40).map((n) => 'x'.repeat(8170 + n)),
);
const soup = fc
  .array(fc.oneof({ weight: 40, arbitrary: token }, { weight: 1, arbitrary: rare }), { maxLength: 8 })
  .map((tokens) => tokens.join(''));

/** What psql and the scanner both should take for one thing, more often than soup alone would be. */
const whole = fc.oneof(
  soup.map((text) => `'${text}'`),
  soup.map((text) => `E'${text}'`),
  soup.map((text) => `"${text}"`),
  soup.map((text) => `$$${text}$$`),
  soup.map((text) => `$a$${text}$a$`),
  soup.map((text) => `/*${text}*/`),
  soup.map((text) => `--${text}\n`),
  soup.map((text) => `(${text})`),
  soup.map((text) => `SELECT '${text}' , '\n${COMMAND}';\n`),
);
const rows = fc.array(soup, { maxLength: 3 }).map((lines) => lines.map((line) => `${line}\n`).join(''));
const statement = fc.oneof(
  fc.constantFrom(...ENCODINGS).map((name) => `;\nSET client_encoding = '${name}';\n`),
  fc
    .constantFrom(...ENCODINGS)
    .map((name) => `;\nSELECT set_config('client_' || 'encoding', '${name}', false);\n`),
  fc.constantFrom('on', 'off').map((value) => `;\nSET standard_conforming_strings = ${value};\n`),
  rows.map((data) => `;\nCOPY t (a) FROM stdin;\n${data}\\.\n`),
);
const parts = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: soup },
    { weight: 6, arbitrary: whole },
    { weight: 3, arbitrary: statement },
  ),
  { minLength: 1, maxLength: 6 },
);
/** Names its settings first, so that it means the same behind any other. */
const script = fc
  .tuple(fc.constantFrom(...ENCODINGS), fc.constantFrom('on', 'off'), parts)
  .map(
    ([encoding, value, texts]) =>
      `SET client_encoding = '${encoding}';\nSET standard_conforming_strings = ${value};\nSELECT ${texts.join('')}`,
  );

/** What the scanner lets pass, without the restrictions, which are taken out; undefined: it refuses the text. */
function passed(text: string, chunk: number): string | undefined {
  const bytes = Buffer.from(`${text}\n;\n`, 'latin1');
  const cuts: [from: number, to: number][] = [];
  const scanner = new SqlScanner('dump.sql', false, { restrict: (...cut) => cuts.push(cut) });
  let understood = 0;
  try {
    for (let end = 0; end < bytes.length; ) {
      end = Math.min(end + chunk, bytes.length);
      understood += scanner.scan(bytes.subarray(understood, end));
    }
  } catch (error) {
    assert.ok(error instanceof ContentError, String(error));
    return undefined;
  }
  if (understood < bytes.length || !scanner.atRest) return undefined;
  for (const [from, to] of cuts) bytes.fill(' ', from, to);
  return bytes.toString('latin1');
}

suite('the scanner of plain dumps and psql read alike', () => {
  const sandbox = useSandbox();
  const database = uniqueName('fuzz');
  before(async () => {
    await createDatabase(sandbox.postgres, database);
    await psql(sandbox.postgres, database, 'CREATE TABLE t (a text)', 'odoo');
  });
  after(() => dropDatabase(sandbox.postgres, database));

  interface Ended {
    readonly code: number | null;
    readonly output: string;
    readonly errors: string;
  }

  async function runPsql(input: Buffer, ...options: string[]): Promise<Ended> {
    const { bin, socket, port } = sandbox.postgres;
    const way = ['-h', socket, '-p', String(port), '-U', 'odoo', '-d', database];
    const process_ = spawn(`${bin}/psql`, ['-XAtq', '-v', 'VERBOSITY=terse', ...options, ...way, '-f', '-'], {
      env: { ...process.env, LC_ALL: 'C', PGCLIENTENCODING: 'UTF8' },
    });
    process_.stdin.on('error', () => {}); // it may end early
    process_.stdin.end(input);
    const exited = new Promise<number | null>((resolve) => process_.on('close', resolve));
    const [output, errors, code] = await Promise.all([
      buffer(process_.stdout),
      buffer(process_.stderr),
      exited,
    ]);
    return { code, output: output.toString('latin1'), errors: errors.toString('latin1') };
  }

  const closing = `;\nSELECT '${AT_REST}';\n`;
  const isSuspicious = ({ output, errors }: Ended): boolean =>
    RAN.test(output) || COMPLAINED.test(errors) || !output.endsWith(`${AT_REST}\n`);

  /** As a restore runs it: nothing behind the first error. */
  async function assertReadAlike(text: string): Promise<void> {
    const ended = await runPsql(Buffer.from(`${text}\n${closing}`, 'latin1'), '-v', 'ON_ERROR_STOP=1');
    const seen = `psql made of ${JSON.stringify(text)}: ${JSON.stringify(ended)}`;
    assert.ok(!RAN.test(ended.output) && !COMPLAINED.test(ended.errors), `a command has run. ${seen}`);
    assert.ok(ended.code !== 0 || !isSuspicious(ended), `psql was not at rest. ${seen}`);
  }

  const seconds = Number(process.env.FUZZ_SECONDS ?? 0);
  const seed = process.env.FUZZ_SEED === undefined ? undefined : Number(process.env.FUZZ_SEED);
  // The text that fails is named by itself: to look for a shorter one would take a psql for each try.
  const parameters: fc.Parameters<unknown> =
    seconds > 0
      ? {
          seed,
          numRuns: Number.MAX_SAFE_INTEGER,
          interruptAfterTimeLimit: seconds * 1000,
          endOnFailure: true,
        }
      : { seed: seed ?? 15, numRuns: 12, endOnFailure: true };
  const scripts = fc.array(script, { minLength: 100, maxLength: 200, size: 'max' });

  test('what the scanner lets pass makes psql run no command of its own', async (t) => {
    let tried = 0;
    let harmlessCount = 0;
    const property = fc.asyncProperty(scripts, fc.integer({ min: 1, max: 9 }), async (texts, chunk) => {
      const harmless = texts.flatMap((text) => {
        const whole = passed(text, 1 << 20);
        assert.equal(passed(text, chunk), whole, `in pieces of ${chunk}: ${JSON.stringify(text)}`);
        return whole ?? [];
      });
      tried += texts.length;
      harmlessCount += harmless.length;
      // All in one psql, which goes on behind errors. It may then take rows of a COPY that fails for commands: so
      // whatever looks like one is tried again by itself.
      const all = Buffer.from(harmless.map((text) => `${text}\n${closing}`).join(''), 'latin1');
      if (!isSuspicious(await runPsql(all))) return;
      for (const text of harmless) await assertReadAlike(text);
    });
    await fc.assert(property, parameters);
    t.diagnostic(`${harmlessCount} of ${tried} texts passed the scanner`);
    assert.ok(harmlessCount > tried / 20, 'too few to mean anything');
  });

  test('between restrict and unrestrict psql runs nothing of any text', async () => {
    const property = fc.asyncProperty(scripts, async (texts) => {
      const all = Buffer.from(`${texts.join('\n')}\n${COMMAND}`, 'latin1');
      const chunks: Buffer[] = [];
      for await (const chunk of restricted(asIs([all]))) chunks.push(chunk);
      const { output } = await runPsql(Buffer.concat(chunks));
      assert.doesNotMatch(output, RAN);
    });
    await fc.assert(property, parameters);
  });
});

async function* asIs(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks;
}
