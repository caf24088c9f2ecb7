import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { ContentError } from '../../src/util/errors.ts';
import {
  customDump,
  ENCODING,
  type MadeDump,
  type MadeEntry,
  SEARCH_PATH,
  STRINGS,
} from '../support/custom-dump.ts';
import { opened, takenApart, withoutKey } from '../support/dump-pieces.ts';
import { useSandbox } from '../support/sandbox.ts';

// Compares the reader of the custom format with the program that it imitates: where both take a dump that nobody's pg_dump
// has made, they make the same of it; and the reader fails with a ContentError, and in no other way.
// `npm run test:fuzz` does it for minutes, with another seed each time; FUZZ_SEED repeats one.

const seconds = Number(process.env.FUZZ_SECONDS ?? 0);
const seed = process.env.FUZZ_SEED;
const parameters = (runs: number): fc.Parameters<unknown> => ({
  ...(seconds > 0
    ? { numRuns: 1e9, interruptAfterTimeLimit: (seconds * 1000) / 2, markInterruptAsFailure: false }
    : { numRuns: runs }),
  ...(seed === undefined ? {} : { seed: Number(seed) }),
});

const KINDS = [
  ...[
    'TABLE',
    'TABLE DATA',
    'SCHEMA',
    'ACL',
    'DEFAULT ACL',
    'COMMENT',
    'SECURITY LABEL',
    'SEQUENCE SET',
    'BLOB',
    'BLOBS',
  ],
  ...[
    'EVENT TRIGGER',
    'MATERIALIZED VIEW DATA',
    'DATABASE',
    'DATABASE PROPERTIES',
    'FUNCTION',
    'EXTENSION',
    'INDEX',
  ],
  ...['SEARCHPATH', 'STDSTRINGS', 'WARNING', 'BLOB COMMENTS', 'FK CONSTRAINT'],
];
const text = fc.oneof(
  fc.constantFrom(
    'public',
    'app',
    'pg_catalog',
    'select',
    'json',
    'system_user',
    'a"b',
    'é',
    'a\nb',
    '\r',
    'x y',
    'X',
    '1',
    '',
  ),
  fc.string({ unit: 'grapheme', maxLength: 8 }).map((each) => each.replaceAll('\0', '')),
);
const optional = fc.option(text, { nil: undefined });
const about = fc.constantFrom(
  'LARGE OBJECT 5',
  'LARGE OBJECTS 5..9',
  'EVENT TRIGGER et',
  'DATABASE x',
  'TABLE t',
);
const definition = fc.oneof(
  optional,
  fc.constantFrom(
    'CREATE TABLE t ();\n',
    '-- a comment',
    '-- load via partition root x',
    "SET x = 'on';",
    "SET y = 'off';",
  ),
);
const chunks = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 4 }).map((each) =>
  // A chunk of no bytes would be the end.
  each.filter(({ length }) => length > 0).map((bytes) => Buffer.from(bytes)),
);
const objects = fc
  .dictionary(fc.constantFrom('1', '900', '4000000000'), chunks)
  .map((each) => new Map(Object.entries(each).map(([oid, data]) => [Number(oid), data])));
const entry = fc.record(
  {
    kind: fc.constantFrom(...KINDS),
    name: fc.oneof(text, about),
    section: fc.integer({ min: 1, max: 4 }),
    ...{
      schema: text,
      owner: text,
      definition,
      drop: text,
      copy: text,
      tablespace: text,
      accessMethod: text,
    },
    data: fc.oneof(chunks, objects),
  },
  { requiredKeys: ['kind', 'name', 'section'] },
) as fc.Arbitrary<Omit<MadeEntry, 'id'>>;

const dumps: fc.Arbitrary<MadeDump> = fc
  .record({
    version: fc.constantFrom(12, 13, 14),
    intSize: fc.constantFrom(4, 8),
    special: fc.subarray([ENCODING, STRINGS, SEARCH_PATH]),
    entries: fc.array(entry, { maxLength: 12 }),
    swap: fc.constantFrom(false, false, false, true),
  })
  .map(({ version, intSize, special, entries, swap }) => {
    const all = [...special, ...entries.map((each, i) => ({ ...each, id: i + 10 }))];
    const blocks = all.filter(({ data }) => data);
    return { version, intSize, entries: all, blocks: swap ? blocks.toReversed() : blocks };
  });

const real = gunzipSync(readFileSync(new URL('../fixtures/custom-format/15.dump.gz', import.meta.url)));

/** The bytes of a real dump, some of them others, or left out, or twice. Most changes are in the table of contents. */
const mutated = fc
  .array(
    fc.record({
      at: fc.oneof(fc.nat(400), fc.nat(real.length - 1)),
      length: fc.nat(12),
      // Most others only make it one that both refuse.
      how: fc.constantFrom(
        'bit',
        'bit',
        'bit',
        'bit',
        'letter',
        'letter',
        'zero',
        'ones',
        'cut',
        'twice',
        'end',
      ),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((changes) => {
    let bytes = Buffer.from(real);
    for (const { at, length, how } of changes) {
      const end = Math.min(bytes.length, at + length);
      if (how === 'bit' && at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << (length % 8));
      if (how === 'letter') bytes.fill('"\n;-x'[length % 5] ?? '', at, Math.min(bytes.length, at + 1));
      if (how === 'zero') bytes.fill(0, Math.min(at, end), end);
      if (how === 'ones') bytes.fill(0xff, Math.min(at, end), end);
      if (how === 'cut') bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
      if (how === 'twice') bytes = Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]);
      if (how === 'end') bytes = bytes.subarray(0, at);
    }
    return bytes;
  });

/**
 * Whether `\\restrict` is written goes by the version of pg_dump that the dump names, which a changed byte can make an older
 * one. pg_restore goes by its own.
 */
const withoutRestriction = (sql: string): string => sql.replaceAll(/^\\(un)?restrict KEY\n\n/gm, '');

suite('a dump in custom format that nobody has made', () => {
  const pgRestore = join(useSandbox().postgres.bin, 'pg_restore');

  /** What pg_restore makes of it; undefined: it refuses it, or it ends in another way. */
  function restored(dump: Buffer, ...args: string[]): Buffer | undefined {
    const { status, stdout, error } = spawnSync(pgRestore, args, {
      input: dump,
      maxBuffer: 2 ** 28,
      // It takes any length that it reads for the size of a buffer.
      timeout: 60_000,
    });
    return status === 0 && !error ? stdout : undefined;
  }

  /** What the reader makes of it; undefined: it refuses it. */
  async function read(dump: Buffer): Promise<{ sql: string; list: string[]; again: Buffer } | undefined> {
    try {
      const { contents } = await opened(dump, 977);
      const { sql, dump: again } = await takenApart(dump, 977);
      return { sql: withoutKey(sql), list: [...contents.lines()].map(({ line }) => line), again };
    } catch (error) {
      if (
        error instanceof ContentError ||
        /^(is in version|has a compression|has a table)/.test((error as Error).message)
      )
        return undefined;
      throw error;
    }
  }

  async function agree(dump: Buffer): Promise<void> {
    const found = await read(dump);
    if (!found) return;
    const expected = restored(dump, '--no-owner', '--file=-');
    if (!expected) return;
    const isRestricted = found.sql.includes('\n\\restrict KEY\n');
    const sql = withoutKey(expected);
    assert.equal(found.sql, isRestricted ? sql : withoutRestriction(sql));
    const list = restored(dump, '--list')?.toString('utf8').split('\n') ?? [];
    assert.deepEqual(
      found.list,
      list.filter((line) => /^\d+; /.test(line)),
    );
    assert.equal((await read(found.again))?.sql, found.sql);
  }

  test('by entries of its own', () =>
    fc.assert(
      fc.asyncProperty(dumps, (made) => agree(customDump(made))),
      parameters(150),
    ));
  test('by changed bytes', () => fc.assert(fc.asyncProperty(mutated, agree), parameters(150)));
});
