import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { canDecompress } from '../../../../src/postgres/custom-format/compression.ts';
import { openDump } from '../../../../src/postgres/custom-format/open.ts';
import { ContentError } from '../../../../src/util/errors.ts';
import { customDump, ENCODING, type MadeEntry, SEARCH_PATH, STRINGS } from '../../../support/custom-dump.ts';
import { inChunks, opened, takenApart, withoutKey } from '../../../support/dump-pieces.ts';

const fixture = (name: string): Buffer =>
  gunzipSync(readFileSync(new URL(`../../../fixtures/custom-format/${name}.gz`, import.meta.url)));

/** By pg_dump and pg_restore of these versions: test/fixtures/README.md. */
const VERSIONS = ['13', '15', '17', '17-zstd', '18', '18-statistics'];

for (const version of VERSIONS) {
  test(`the dump of every kind of object, by PostgreSQL ${version}, becomes the SQL of its pg_restore`, async () => {
    const dump = fixture(`${version}.dump`);
    const expected = withoutKey(fixture(`${version}.sql`));
    for (const chunk of [3, 1000, dump.length]) {
      const { sql } = await takenApart(dump, chunk);
      assert.equal(withoutKey(sql), expected, `in chunks of ${chunk}`);
    }
    const lines = [...(await opened(dump)).contents.lines()].map(({ line }) => line);
    assert.deepEqual(lines, fixture(`${version}.list`).toString('utf8').trimEnd().split('\n'));
  });
}

test('the dump that comes of a dump has the same start, and becomes the same SQL', async () => {
  for (const version of VERSIONS.filter((each) => !each.includes('zstd'))) {
    const dump = fixture(`${version}.dump`);
    const again = (await takenApart(dump)).dump;
    const { start } = await opened(dump);
    assert.deepEqual(again.subarray(0, start.length), start);
    assert.ok(again.length < dump.length);
    assert.equal(withoutKey((await takenApart(again)).sql), withoutKey(fixture(`${version}.sql`)));
    assert.deepEqual((await takenApart(again)).dump, again);
  }
});

test('the SQL is restricted with a key of its own from the versions on that know it', async () => {
  const entries = [ENCODING, STRINGS, SEARCH_PATH];
  const keyOf = async (program: string) => {
    const { sql } = await takenApart(customDump({ entries, program }));
    const [, key, end] = /^\\restrict (\w+)$.*^\\unrestrict (\w+)$/ms.exec(sql.toString()) ?? [];
    assert.equal(key, end);
    return key;
  };
  for (const program of ['13.21', '14.18', '15.13', '16.9', '17.5', '12.99', '17devel', '']) {
    assert.equal(await keyOf(program), undefined, program);
  }
  const keys = [];
  for (const program of [
    '13.22',
    '14.19',
    '15.14 (Debian 15.14-0+deb12u1)',
    '16.10',
    '17.6',
    '18beta1',
    '19.0',
  ]) {
    keys.push(await keyOf(program));
  }
  for (const key of keys) assert.match(key ?? '', /^\w{63}$/);
  assert.equal(new Set(keys).size, keys.length);
});

/** A table with rows, in chunks. */
const rows = (id: number, ...data: Buffer[]): MadeEntry => ({
  ...{ id, kind: 'TABLE DATA', name: `t${id}`, schema: 'public', section: 3, owner: 'odoo', definition: '' },
  ...{ copy: `COPY public.t${id} (a) FROM stdin;\n`, data },
});
const BASE = [ENCODING, STRINGS, SEARCH_PATH];

test('rows of every size come through, and large ones as pieces for both', async () => {
  const KIB = 1024;
  for (const size of [0, 1, 32 * KIB - 1, 32 * KIB, 256 * KIB - 1, 256 * KIB, 256 * KIB + 1, 1200 * KIB]) {
    for (const chunk of [100, 4097, 2 ** 20]) {
      const bytes = Buffer.alloc(size, 'abc\tdéf\n');
      const parts = [];
      for (let at = 0; at < size; at += chunk) parts.push(bytes.subarray(at, at + chunk));
      const dump = customDump({
        entries: [...BASE, rows(10, ...parts), rows(11, Buffer.from('x\n\\.\n\n\n'))],
      });
      const { sql, dump: again, shared } = await takenApart(dump, 70_001);
      const marked = 'FROM stdin;\n';
      const at = sql.indexOf(marked) + marked.length;
      assert.ok(sql.subarray(at, at + size).equals(bytes), `${size} in chunks of ${chunk}`);
      assert.equal(shared, Math.floor(size / (256 * KIB)) + (size % (256 * KIB) >= 32 * KIB ? 1 : 0));
      assert.ok(withoutKey((await takenApart(again)).sql) === withoutKey(sql));
    }
  }
});

test('numbers of other sizes, and all versions of the format', async () => {
  const entries = [...BASE, rows(10, Buffer.from('a\n\\.\n\n\n'))];
  const { sql } = await takenApart(customDump({ entries }));
  for (const version of [12, 13, 15, 16]) {
    const { sql: other } = await takenApart(customDump({ entries, version }));
    assert.equal(withoutKey(other), withoutKey(sql), `1.${version}`);
  }
  for (const intSize of [5, 8]) {
    const { sql: other } = await takenApart(customDump({ entries, intSize }));
    assert.equal(withoutKey(other), withoutKey(sql));
  }
});

test('what is not known is told apart from what is damaged, with all bytes so far', async () => {
  const known = customDump({ entries: BASE });
  for (const [at, value, why] of [
    [6, 17, 'is in version 1.17 of the format'],
    [6, 11, 'is in version 1.11 of the format'],
    [5, 2, 'is in version 2.14 of the format'],
  ] as const) {
    const dump = Buffer.from(known);
    dump[at] = value;
    const chunks = inChunks(dump, 5);
    const open = await openDump('shop.dump', chunks);
    assert.ok(open.kind === 'unknown');
    assert.equal(open.why, why);
    const rest = [open.read];
    for await (const chunk of { [Symbol.asyncIterator]: () => chunks }) rest.push(chunk);
    assert.deepEqual(Buffer.concat(rest), dump);
  }
  assert.equal(canDecompress('lz4'), false);
});

const broken: [what: string, dump: Buffer, message: RegExp][] = [
  ['no dump', Buffer.from('PGDMQ and more'), /does not begin with PGDMP/],
  ['nothing', Buffer.alloc(0), /ends within its table of contents/],
  [
    'a kind with a line break',
    customDump({ entries: [{ id: 1, kind: 'TABLE\nDROP', name: 'x' }] }),
    /unknown kind/,
  ],
  ['an id of 0', customDump({ entries: [{ id: 0, kind: 'TABLE', name: 'x' }] }), /the id 0/],
  [
    'an odd section',
    customDump({ entries: [{ id: 1, kind: 'TABLE', name: 'x', section: 9 }] }),
    /the section 9/,
  ],
  ['a NUL byte', customDump({ entries: [{ id: 1, kind: 'TABLE', name: 'x\0' }] }), /holds a NUL byte/],
  [
    'another encoding',
    customDump({ entries: [{ ...ENCODING, definition: "SET client_encoding = 'x'; DROP" }] }),
    /unknown encoding/,
  ],
  [
    'versions of several lines',
    customDump({ entries: [], program: '15\nDROP' }),
    /a version of several lines/,
  ],
  [
    'data in another order',
    customDump({ entries: [rows(1), rows(2)], blocks: [rows(2), rows(1)] }),
    /not in the order of its entries/,
  ],
  ['data that lack', customDump({ entries: [rows(1), rows(2)], blocks: [rows(1)] }), /are not there/],
];

for (const [what, dump, message] of broken) {
  test(`refused: ${what}`, async () => {
    await assert.rejects(
      takenApart(dump),
      (error) => error instanceof ContentError && message.test(error.message),
    );
  });
}

test('a dump that is cut anywhere is not whole', async () => {
  const objects: MadeEntry = {
    ...{ id: 12, kind: 'BLOBS', name: 'BLOBS', section: 3 },
    data: new Map([
      [4_000_000_000, [Buffer.from('one'), Buffer.from('two')]],
      [5, []],
    ]),
  };
  const dump = customDump({ entries: [...BASE, rows(10, Buffer.from('a\n')), objects] });
  await takenApart(dump);
  for (let length = 0; length < dump.length; length++) {
    await assert.rejects(
      takenApart(dump.subarray(0, length), 50),
      ContentError,
      `${length} of ${dump.length} bytes`,
    );
  }
  await assert.rejects(takenApart(Buffer.concat([dump, Buffer.from('x')])), ContentError);
});
