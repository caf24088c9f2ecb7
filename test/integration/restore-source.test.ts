import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { after, before, suite, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { DumpSource } from '../../src/backup-reader/dump.ts';
import { openSource, type RestoreSource } from '../../src/backup-reader/open.ts';
import type { Selection } from '../../src/backup-reader/select.ts';
import { receiptKey } from '../../src/catalog/keys.ts';
import type { Receipt } from '../../src/catalog/receipt.ts';
import { Store } from '../../src/s3/store.ts';
import { UserError } from '../../src/util/errors.ts';
import { sqlOf, withoutRestrict } from '../support/backup-check.ts';
import { type Made, Scene } from '../support/backup-run.ts';
import type { RawInputs } from '../support/inputs.ts';
import { archive } from '../support/odoo.ts';
import { run } from '../support/processes.ts';
import { unsigned } from '../support/unsigned.ts';
import { pythonZip } from '../support/zips.ts';

const formats: Readonly<Record<string, { inputs: RawInputs; kind: DumpSource['kind'] }>> = {
  dual: { inputs: {}, kind: 'custom' },
  odoo: { inputs: {}, kind: 'plain' },
  directory: { inputs: { jobs: '2' }, kind: 'directory' },
  custom: { inputs: { filestore: 'false' }, kind: 'custom' },
  plain: { inputs: { filestore: 'false' }, kind: 'plain' },
};

suite('reading what is to be restored', () => {
  let scene: Scene;
  let store: Store;
  /** One of every format. */
  const backups = new Map<string, Made>();
  before(async () => {
    scene = await Scene.open();
    const { accessKeyId, secretAccessKey, endpoint } = scene.sandbox.s3;
    process.env.AWS_ACCESS_KEY_ID = accessKeyId;
    process.env.AWS_SECRET_ACCESS_KEY = secretAccessKey;
    for (const [format, { inputs }] of Object.entries(formats)) {
      backups.set(format, await scene.backup({ format, ...inputs }));
    }
    store = new Store({ bucket: scene.bucket, prefix: '', endpoint, pathStyle: true });
  });
  after(async () => {
    store?.[Symbol.dispose]();
    await scene?.[Symbol.asyncDispose]();
  });

  const put = (key: string, body: Uint8Array | string) =>
    scene.client.send(new PutObjectCommand({ Bucket: scene.bucket, Key: key, Body: body }));

  const open = (backup: string, selection: Partial<Selection> = {}): Promise<RestoreSource> =>
    openSource(store, {
      customer: 'acme',
      backup,
      database: undefined,
      allowUnverified: false,
      ...selection,
    });

  const fails = (opening: Promise<unknown>, why: RegExp): Promise<void> =>
    assert.rejects(
      opening,
      (error) => error instanceof UserError && why.test(`${error.message} ${error.hint}`),
    );

  /** Puts a backup, which the scene took out of the bucket, back. */
  async function putBack(made: Made): Promise<void> {
    await put(made.receipt.key, made.object);
    await put(receiptKey(made.receipt.key), JSON.stringify(made.receipt));
  }

  /** The database as text, whatever the dump is. */
  async function sqlFrom(dump: DumpSource): Promise<string> {
    if (dump.kind === 'directory') return assert.fail('a directory is compared file by file');
    const content = dump.open();
    if (dump.kind === 'plain') return withoutRestrict(await text(content));
    const restore = join(scene.sandbox.postgres.bin, 'pg_restore');
    return withoutRestrict(await run([restore, '--no-owner', '-f', '-'], { input: content }));
  }

  test('archives of every format, and bare dumps, found by every name', async () => {
    const source = await sqlOf(scene.sandbox.postgres, scene.odoo.database);
    for (const [format, { kind }] of Object.entries(formats)) {
      const made = backups.get(format);
      assert.ok(made);
      await putBack(made);
      const { key, startedAt } = made.receipt;
      for (const name of [
        key,
        store.uri(key),
        startedAt,
        startedAt.slice(0, 19).replace('T', '_').replaceAll(':', '-'),
      ]) {
        assert.equal((await open(name)).key, key);
      }
      const opened = await open('latest', { database: scene.odoo.database });
      assert.deepEqual([opened.key, opened.size], [key, made.object.length]);
      assert.deepEqual(opened.receipt, made.receipt);
      assert.deepEqual([opened.database, opened.odooVersion], [scene.odoo.database, '14.0']);
      assert.equal(opened.createdAt?.toISOString(), startedAt);
      assert.equal(opened.dump.kind, kind);
      assert.equal(opened.filestore?.size, made.receipt.filestore?.files);
      assert.deepEqual(opened.description?.counts, made.receipt.counts);
      if (opened.dump.kind !== 'directory') {
        const sql = await sqlFrom(opened.dump);
        assert.ok(sql === source, `${format}: the dump is not the database`);
      } else {
        const toc = opened.dump.files.find(({ name }) => name === 'toc.dat');
        assert.equal((await buffer(toc?.open() ?? Readable.from([]))).subarray(0, 5).toString(), 'PGDMP');
      }
      for await (const { file, content } of opened.readFiles(opened.filestore?.values() ?? [])) {
        const bytes = Buffer.isBuffer(content) ? content : await buffer(content);
        assert.equal(createHash('sha1').update(bytes).digest('hex'), file.sha1);
      }
    }
  });

  test('a receipt that speaks of something else proves nothing', async () => {
    const made = backups.get('odoo');
    assert.ok(made);
    const { key, size } = made.receipt;
    const change = async (object: Uint8Array, receipt: object, why: RegExp) => {
      await put(key, object);
      await put(receiptKey(key), JSON.stringify(unsigned({ ...made.receipt, ...receipt })));
      for (const allowUnverified of [false, true]) await fails(open(key, { allowUnverified }), why);
    };
    const said = 'is not the archive that the receipt describes';
    await change(
      made.object,
      { key: 'acme/backups/other.zip' },
      new RegExp(`${said}: .* acme/backups/other.zip`),
    );
    await change(
      made.object,
      { size: size + 1 },
      new RegExp(`${said}: it has ${size} bytes instead of ${size + 1}`),
    );
    const other = Buffer.from(made.object);
    other.writeUInt8(7, (made.receipt.directory?.offset ?? 0) + 12);
    await change(other, {}, new RegExp(`${said}: it has another central directory`));
    await change(Buffer.alloc(size), {}, new RegExp(`${said}: it is not a zip`));
    await change(made.object, { version: 2 }, /is not a receipt of this tool/);
  });

  test('a receipt that cannot be read leaves open which is the latest: nothing older is taken but by name', async () => {
    const of = { customer: 'torn' };
    const folder = 'torn/backups/';
    const receipt = backups.get('custom')?.receipt;
    const [older, newer] = [`${folder}a_2026-01-01_00-00-00`, `${folder}a_2026-01-02_00-00-00`];
    for (const name of [older, newer]) await put(`${name}.dump`, 'dump');
    await put(`${older}.json`, JSON.stringify(unsigned({ ...receipt, key: `${older}.dump`, database: 'a' })));
    for (const torn of ['{', '[]', '{"version":99}']) {
      await put(`${newer}.json`, torn);
      await fails(
        open('latest', of),
        new RegExp(`a receipt cannot be read: \\S+${newer}.json .*: backup: ${older}.dump`),
      );
    }
    await put(`${older}.json`, '{');
    await fails(open('latest', of), /No older backup has a readable receipt/);
  });

  test('a backup that failed a proof is not the latest, and needs allow-unverified', async () => {
    const made = backups.get('odoo') ?? assert.fail();
    const [of, folder] = [{ customer: 'proofs' }, 'proofs/backups/'];
    const write = async (name: string, proofs: Receipt['proofs']) => {
      const key = `${folder}${name}.zip`;
      await put(key, made.object);
      await put(
        receiptKey(key),
        JSON.stringify(unsigned({ ...made.receipt, key, customer: 'proofs', proofs })),
      );
      return key;
    };
    const [passed] = made.receipt.proofs;
    assert.ok(passed);
    const failure = 'filestore/ab/abcd: CRC-32 differs';
    const good = await write('live_2026-03-01_00-00-00', [passed]);
    const bad = await write('live_2026-03-02_00-00-00', [passed, { ...passed, level: 'contents', failure }]);

    assert.equal((await open('latest', of)).key, good);
    await fails(open(bad, of), /did not pass its verification \(contents\) on .*: filestore\/ab\/abcd/);
    assert.equal((await open(bad, { ...of, allowUnverified: true })).key, bad);
  });

  test('archives of other programs need allow-unverified', async () => {
    const odoo = await readFile(archive);
    const sha1 = createHash('sha1').update('content').digest('hex');
    const ansible = await pythonZip(
      `for name in ['live_2026-02-16_09-00-00.dump', 'live_2026-02-16_09-00-00.sql']: z.writestr('./' + name, ('PGDMP' if name.endswith('.dump') else '') + name)
z.writestr('filestore/live/${sha1.slice(0, 2)}/${sha1}', 'content')`,
    );
    await put('other/backups/odoo.zip', odoo);
    await put('ansible/backups/live_2026-02-16_09-00-00.zip', ansible);
    await fails(
      open('other/backups/odoo.zip'),
      /has no receipt: nobody has verified .* allow-unverified: true/s,
    );
    await fails(open('latest', { customer: 'ansible' }), /live_2026-02-16_09-00-00.zip has no receipt/);

    const allowed = { allowUnverified: true };
    const byOdoo = await open('other/backups/odoo.zip', allowed);
    assert.deepEqual(
      [byOdoo.receipt, byOdoo.description, byOdoo.createdAt],
      [undefined, undefined, undefined],
    );
    assert.deepEqual([byOdoo.dump.kind, byOdoo.odooVersion, byOdoo.filestore?.size], ['plain', '14.0', 205]);
    assert.equal(byOdoo.database, byOdoo.manifest?.db_name);
    assert.match(await sqlFrom(byOdoo.dump), /PostgreSQL database dump complete/);

    const byAnsible = await open('latest', { customer: 'ansible', ...allowed });
    assert.deepEqual([byAnsible.database, byAnsible.dump.kind], ['live', 'custom']);
    assert.equal(byAnsible.createdAt?.toISOString(), '2026-02-16T09:00:00.000Z');
    assert.deepEqual([...(byAnsible.filestore?.keys() ?? [])], [`${sha1.slice(0, 2)}/${sha1}`]);

    await put('other/backups/bare.sql', 'SELECT 1;\n-- PostgreSQL database dump complete\n');
    const bare = await open(store.uri('other/backups/bare.sql'), allowed);
    assert.deepEqual([bare.dump.kind, bare.filestore, bare.database], ['plain', undefined, undefined]);
    assert.match(await sqlFrom(bare.dump), /^SELECT 1;/);
    await put('other/backups/evil.sql.gz', gzipSync('\\! id\n-- PostgreSQL database dump complete\n'));
    const evil = await open('other/backups/evil.sql.gz', allowed);
    await fails(sqlFrom(evil.dump), /evil.sql.gz is not restored: it holds a psql command/);
  });

  test('what is not there is told with what is', async () => {
    const of = { customer: 'several' };
    await fails(
      open('latest', of),
      /^No backup found in s3:\/\/.*\/several\/backups\/\. Check the S3 bucket/,
    );
    await put('several/backups/a_2026-01-01_00-00-00.zip', 'x');
    await put('several/backups/b_2026-01-01_00-00-00.zip', 'x');
    await put('several/backups/b_2026-01-02_00-00-00.json', '{}');
    await fails(
      open('2026-01-03_00-00-00', of),
      /^No backup found for 2026-01-03_00-00-00 in .*b_2026-01-02_00-00-00.json: a receipt whose archive is gone\n.*a_2026-01-01_00-00-00.zip \(1 B, no receipt\)/s,
    );
    await fails(open('latest', { ...of, database: 'c' }), /^No backup found of c in/);
    await fails(open('2026-01-01T00:00:00Z', of), /several databases: a, b/);
    await fails(open('latest', of), /several databases/);
    await fails(open('latest', { ...of, database: 'b' }), /b_2026-01-01_00-00-00.zip has no receipt/);
    await fails(open('newest', of), /neither latest nor a key nor a time/);
    await fails(open('s3://elsewhere/a/b.zip', of), /lies in another bucket/);
    await fails(
      open('several/backups/none.zip', { ...of, allowUnverified: true }),
      /several\/backups\/none.zip/,
    );
  });
});
