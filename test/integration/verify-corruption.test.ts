import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Receipt } from '../../src/catalog/receipt.ts';
import { member } from '../support/backup-check.ts';
import type { Made } from '../support/backup-run.ts';
import type { RawInputs } from '../support/inputs.ts';
import { flipped, type Places, placesOf, VerifyScene } from '../support/verify-scene.ts';
import { entriesOf } from '../support/zips.ts';

const formats: Readonly<Record<string, RawInputs>> = {
  dual: {},
  odoo: { format: 'odoo' },
  custom: { format: 'custom' },
  directory: { format: 'directory', jobs: '2' },
  'dual, without a filestore': { filestore: 'false' },
  'custom, bare': { format: 'custom', filestore: 'false' },
  'custom, bare, not compressed': { format: 'custom', filestore: 'false', compression: '0' },
  'plain, bare': { format: 'plain', filestore: 'false' },
};

suite('what is verified to the level contents', () => {
  let verify: VerifyScene;
  const backups = new Map<string, Made>();
  const madeAs = (format: string): Made => backups.get(format) ?? assert.fail(format);
  before(async () => {
    verify = await VerifyScene.open();
    for (const [name, inputs] of Object.entries(formats)) {
      backups.set(name, await verify.scene.backup(inputs));
    }
  });
  after(() => verify?.[Symbol.asyncDispose]());

  /** It fails, for this reason: a message that names what is wrong. */
  async function fails(receipt: Receipt, object: Uint8Array, why: RegExp, what = ''): Promise<void> {
    const { failure } = await verify.proof(receipt, object);
    assert.ok(failure !== undefined, `${what}: it passed`);
    assert.match(failure, why, what);
  }

  for (const format of Object.keys(formats)) {
    test(`${format}: passes as it is`, async () => {
      const { receipt, object } = madeAs(format);
      const proof = await verify.proof(receipt, object);
      assert.equal(proof.failure, undefined);
      assert.equal(proof.level, 'contents');
      assert.deepEqual(proof.programs ?? {}, {}, 'no pg_restore takes part');
    });
  }

  const entries: readonly [what: string, pattern: RegExp, format: string][] = [
    ['a file of the filestore that is stored', /^filestore\/.*/, 'odoo'],
    ['the dump for pg_restore', /\.dump$/, 'dual'],
    ['dump.sql', /^dump\.sql$/, 'odoo'],
    ['manifest.json', /^manifest\.json$/, 'odoo'],
    ['backup.json', /^backup\.json$/, 'odoo'],
    ['a file of a dump in directory format', /^dump\/\d+\.dat/, 'directory'],
  ];
  for (const [what, pattern, format] of entries) {
    test(`a bit of ${what} is another, wherever it is`, async () => {
      const { receipt, object } = madeAs(format);
      const places = await placesOf(object, pattern);
      const name = `"${places.entry.name.replaceAll('.', '\\.')}"`;
      // The last bits of what is deflated may mean nothing: then only what was sent tells.
      const named = new RegExp(`${name}|The bytes \\d+ to \\d+ of the archive, ".*" to ".*", are not`);
      for (const [where, at] of regions(places)) {
        await fails(receipt, flipped(object, at), named, `${what}, ${where}`);
      }
    });
  }

  test('a bit of the directory is another', async () => {
    const { receipt, object } = madeAs('dual');
    const { entry, directory } = await placesOf(object, /^filestore\//);
    const named = new RegExp(JSON.stringify(entry.name));
    const fields = { method: 10, time: 12, 'CRC-32': 16, 'compressed size': 20, size: 24, offset: 43 };
    for (const [field, at] of Object.entries(fields)) {
      await fails(receipt, flipped(object, directory + at), named, field);
    }
    const name = flipped(object, directory + 46 + 20);
    await fails(
      receipt,
      name,
      /^"filestore\/.*" is not what .* its local header has a different name/,
      'name',
    );
    const others = { signature: directory, attributes: directory + 40, 'end record': object.length - 10 };
    for (const [what, at] of Object.entries(others)) {
      await fails(receipt, flipped(object, at), /zip is not the archive .* its central directory/, what);
    }
  });

  test('a bit between the entries is another', async () => {
    const { receipt, object } = madeAs('dual');
    const [first, ...others] = receipt.segments;
    assert.ok(first);
    // What no entry and no directory speaks of: only what was written does.
    const [unit, ...more] = first.units;
    assert.ok(unit);
    const segments = [{ ...first, units: [{ ...unit, md5: '0'.repeat(32) }, ...more] }, ...others];
    await fails(
      { ...receipt, segments },
      object,
      /The bytes 0 to \d+ of the archive, ".*\.dump" to ".*\.dump", are not/,
    );
  });

  test('the end is missing', async () => {
    const { receipt, object } = madeAs('dual');
    const directory = receipt.directory?.offset ?? 0;
    for (const length of [0, 10, 100_000, directory, object.length - 1]) {
      const why = new RegExp(`zip is not the archive that was written: it has ${length} bytes instead of`);
      await fails(receipt, object.subarray(0, length), why, `${length} bytes`);
    }
  });

  test('bytes follow', async () => {
    const { receipt, object } = madeAs('dual');
    await fails(receipt, Buffer.concat([object, Buffer.alloc(7)]), /has \d+ bytes instead of \d+/);
  });

  test('two files of the filestore are exchanged', async () => {
    const made = madeAs('dual');
    const [one = '', other = ''] = await filesOf(made);
    const exchanged = { [one]: await member(made.path, other), [other]: await member(made.path, one) };
    const why = /^The file ..\/\w{40} of the archived filestore is not what its name says/;
    for (const keepReceipt of [true, false]) {
      const { receipt, object } = await verify.rewritten(made, exchanged, { keepReceipt });
      await fails(receipt, object, why, keepReceipt ? 'and the receipt knows' : '');
    }
  });

  test('a file that an attachment names is not there', async () => {
    for (const format of ['dual', 'odoo', 'custom', 'directory']) {
      const made = madeAs(format);
      const [file = ''] = await filesOf(made);
      const { receipt, object } = await verify.rewritten(made, { [file]: null });
      await fails(
        receipt,
        object,
        new RegExp(`"${file}" is not in the archive, and an attachment in `),
        format,
      );
    }
  });

  test('a dump is empty', async () => {
    for (const [format, pattern] of [
      ['dual', /\.dump$/],
      ['dual', /^dump\.sql$/],
      ['odoo', /^dump\.sql$/],
      ['custom', /\.dump$/],
      ['directory', /^dump\/toc\.dat$/],
    ] as const) {
      const made = madeAs(format);
      const { name } = (await placesOf(made.object, pattern)).entry;
      const { receipt, object } = await verify.rewritten(made, { [name]: Buffer.alloc(0) });
      const why = new RegExp(`^${JSON.stringify(name)} is not (a whole dump|complete)`);
      await fails(receipt, object, why, `${format}, ${name}`);
    }
  });

  test('a dump is cut short, and the zip does not know', async () => {
    for (const [format, pattern] of [
      ['dual', /\.dump$/],
      ['dual', /^dump\.sql$/],
      ['directory', /^dump\/toc\.dat$/],
      ['directory', /^dump\/\d+\.dat/],
    ] as const) {
      const made = madeAs(format);
      const { entry } = await placesOf(made.object, pattern);
      const { name } = entry;
      const whole = await member(made.path, name);
      for (const length of [Math.floor(whole.length * 0.6), whole.length - 3]) {
        const { receipt, object } = await verify.rewritten(made, { [name]: whole.subarray(0, length) });
        const why = new RegExp(`^${JSON.stringify(name)} is not (a whole dump|complete)`);
        await fails(receipt, object, why, `${format}, ${name}, ${length} of ${whole.length}`);
      }
    }
  });

  test('a dump of a newer PostgreSQL is read as well, and one of an unknown version left to pg_restore', async () => {
    const made = madeAs('custom');
    const { name } = (await placesOf(made.object, /\.dump$/)).entry;
    const newer = gunzipSync(readFileSync(new URL('../fixtures/custom-format/18.dump.gz', import.meta.url)));
    const { receipt, object } = await verify.rewritten(made, { [name]: newer });
    await fails(receipt, object, /holds no table ir_attachment, and the snapshot had/);
    newer[6] = 99; // the version of the format
    const unknown = await verify.rewritten(made, { [name]: newer });
    await assert.rejects(
      verify.proof(unknown.receipt, unknown.object),
      /^UserError: pg_restore could not read .*: unsupported version \(1\.99\) in file header/,
    );
  });

  test('a dump lacks a file', async () => {
    const made = madeAs('directory');
    const { name } = (await placesOf(made.object, /^dump\/\d+\.dat/)).entry;
    const { receipt, object } = await verify.rewritten(made, { [name]: null });
    const file = name.replace(/^dump\//, '').replace(/\.(gz|zst)$/, '');
    await fails(receipt, object, new RegExp(`^"dump/" is not a whole dump: it lacks the file "${file}"`));
  });

  test('a dump is missing', async () => {
    for (const [format, pattern, why] of [
      ['dual', /\.dump$/, /^The archive lacks the dump for pg_restore/],
      ['dual', /^dump\.sql$/, /^The archive lacks "dump.sql"/],
      ['directory', /^dump\/toc\.dat$/, /^The archive lacks "dump\/toc.dat"/],
      ['odoo', /^backup\.json$/, /^"backup.json" is not in /],
    ] as const) {
      const made = madeAs(format);
      const { name } = (await placesOf(made.object, pattern)).entry;
      const { receipt, object } = await verify.rewritten(made, { [name]: null });
      await fails(receipt, object, why, `${format}, ${name}`);
    }
  });

  test('a dump is whole, and of another database', async () => {
    const sql = '--\n-- PostgreSQL database dump complete\n--\n\n';
    const { receipt, object } = await verify.rewritten(madeAs('odoo'), { 'dump.sql': Buffer.from(sql) });
    await fails(receipt, object, /^"dump.sql" holds no table ir_attachment, and the snapshot had 203 /);
  });

  for (const format of ['custom, bare', 'custom, bare, not compressed', 'plain, bare']) {
    test(`${format}: a bit is another, the end is missing, or bytes follow`, async () => {
      const { receipt, object } = madeAs(format);
      const named = new RegExp(`^"${receipt.key.slice(receipt.key.lastIndexOf('/') + 1)}" `);
      for (const at of [
        0,
        3,
        5,
        6,
        12,
        Math.floor(object.length / 2),
        object.length - 100,
        object.length - 1,
      ]) {
        await fails(receipt, flipped(object, at), named, `byte ${at} of ${object.length}`);
      }
      for (const length of [0, Math.floor(object.length * 0.6), object.length - 1]) {
        await fails(receipt, object.subarray(0, length), named, `${length} of ${object.length} bytes`);
        // As if no more had ever come.
        const cut = { ...receipt, size: length, segments: [] };
        await fails(cut, object.subarray(0, length), named, `${length} of ${object.length} bytes, as sent`);
      }
      await fails(receipt, Buffer.concat([object, Buffer.alloc(1)]), named);
    });
  }

  test('plain, bare: cut short before it was compressed', async () => {
    const { receipt, object } = madeAs('plain, bare');
    const sql = gunzipSync(object);
    const cut = gzipSync(sql.subarray(0, sql.length - 100));
    await fails(
      { ...receipt, size: cut.length, segments: [], sums: undefined },
      cut,
      /\.sql\.gz" is not complete/,
    );
  });

  /** Those of the filestore that attachments name. */
  async function filesOf(made: Made): Promise<string[]> {
    const sql = (await member(madeAs('odoo').path, 'dump.sql')).toString();
    const names = [...(await entriesOf(Buffer.from(made.object))).values()].filter(({ size }) => size > 0);
    return names
      .map(({ name }) => name)
      .filter((name) => name.startsWith('filestore/') && sql.includes(name.slice(10)));
  }
});

/** One byte of each part of an entry. */
function* regions({ header, data, dataEnd, entry }: Places): Generator<[where: string, at: number]> {
  const fields = [0, 4, 6, 8, 10, 12, 14, 18, 22, 26, 28, 31];
  for (const at of fields) yield [`byte ${at} of its header`, header + at];
  yield ['first byte', data];
  yield ['middle', data + Math.floor(entry.compressedSize / 2)];
  yield ['last byte', dataEnd - 1];
  const isFollowed = (entry.raw.readUInt16LE(8) & 8) !== 0;
  if (isFollowed) for (const at of [0, 4, 8, 12]) yield [`byte ${at} behind it`, dataEnd + at];
}
