import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { dumpAsSql, members, sqlOf, withoutRestrict } from '../support/backup-check.ts';
import { Scene } from '../support/backup-run.ts';
import { assertNothingRuns, assertNothingStored } from '../support/leftovers.ts';
import { run } from '../support/processes.ts';

suite('format', () => {
  let scene: Scene;
  let source: string;
  before(async () => {
    scene = await Scene.open({ fixture: 'full' });
    source = await sqlOf(scene.sandbox.postgres, scene.odoo.database);
  });
  after(() => scene?.[Symbol.asyncDispose]());

  /** Not by assert.equal: its message would hold both texts. */
  const assertWhole = (sql: string) => assert.ok(sql === source, 'the dump is not the database');

  /** How each member is compressed: `stor` or `defN`. */
  async function methods(zip: string): Promise<Map<string, string>> {
    const lines = (await run(['unzip', '-Zs', zip])).matchAll(/^\S{10} .* (stor|def.) \S+ \S+ (.+)$/gm);
    return new Map([...lines].map(([, method = '', name = '']) => [name, method]));
  }

  test('odoo: what Odoo’s own backup holds, and backup.json', async () => {
    const made = await scene.backup({ format: 'odoo' });
    const names = (await members(made.path)).filter((name) => !name.startsWith('filestore/'));
    assert.deepEqual(names, ['dump.sql', 'manifest.json', 'backup.json']);
    assertWhole(withoutRestrict(await run(['unzip', '-p', made.path, 'dump.sql'])));
    assert.equal(made.receipt.filestore?.files, 205);
    assert.equal((await methods(made.path)).get('dump.sql'), 'defN');
  });

  test('custom, uncompressed: a dump for pg_restore, everything stored', async () => {
    const made = await scene.backup({ format: 'custom', compression: '0' });
    const stem = made.receipt.key.replace(/^.*\/|\.zip$/g, '');
    const names = (await members(made.path)).filter((name) => !name.startsWith('filestore/'));
    assert.deepEqual(names, [`${stem}.dump`, 'manifest.json', 'backup.json']);
    await run(['unzip', '-q', made.path, `${stem}.dump`, '-d', scene.folder]);
    assertWhole(await dumpAsSql(scene.sandbox.postgres, join(scene.folder, `${stem}.dump`)));
    const how = await methods(made.path);
    for (const [name, method] of how) {
      if (!name.endsWith('.json')) assert.equal(method, 'stor', name);
    }
    assert.ok(how.size > 205);
  });

  test('compression 6 is smaller than auto', async () => {
    const [auto, six] = [
      await scene.backup({ format: 'odoo' }),
      await scene.backup({ format: 'odoo', compression: '6' }),
    ];
    assert.ok(six.receipt.size < auto.receipt.size, `${six.receipt.size} of ${auto.receipt.size}`);
    assert.match(await run(['unzip', '-tq', six.path]), /^No errors/);
  });

  test('directory: dumped by several jobs into a folder that is gone afterwards', async () => {
    const made = await scene.backup({ format: 'directory', jobs: '2' });
    const names = await members(made.path);
    assert.ok(names.includes('dump/toc.dat'));
    assert.ok(names.filter((name) => /^dump\/\d+\.dat/.test(name)).length > 300);
    assert.ok(!names.includes('dump.sql'));
    await run(['unzip', '-q', made.path, 'dump/*', '-d', scene.folder]);
    assertWhole(await dumpAsSql(scene.sandbox.postgres, join(scene.folder, 'dump')));
    assert.match(made.log, /^ *Dump, by 2 jobs at once/m);
  });

  test('custom without a filestore: a bare dump', async () => {
    const made = await scene.backup({ format: 'custom', filestore: 'false' });
    assert.match(made.receipt.key, /\.dump$/);
    assert.equal(made.outputs.receipt, made.receipt.key.replace(/dump$/, 'json'));
    assertWhole(await dumpAsSql(scene.sandbox.postgres, made.path));
    assert.deepEqual([made.receipt.directory, made.receipt.filestore], [null, null]);
    const md5 = createHash('md5').update(made.object).digest('hex');
    const [{ units: [unit] = [], ...segment } = {}, ...others] = made.receipt.segments;
    assert.deepEqual(segment, { kind: 'database', offset: 0, length: made.object.length, entries: 0 });
    assert.deepEqual([unit?.length, unit?.md5, others], [made.object.length, md5, []]);
    assert.ok(made.receipt.size < source.length / 2, 'pg_dump compresses it');
    const { description, postgres } = made.receipt;
    assert.equal(description?.postgres.server, postgres.server);
    assert.equal(description?.postgres.encoding, 'UTF8');
    assert.deepEqual([description?.filestore, description?.counts], [null, made.receipt.counts]);
    assert.ok(!('description' in JSON.parse(made.outputs.json ?? '')));
    assert.match(made.log, /filestore is false: 203 attached files are left out/);
    assert.match(made.log, /^Attachments {2}not part of this backup$/m);
  });

  test('plain without a filestore: bare SQL, gzipped', async () => {
    const made = await scene.backup({ format: 'plain', filestore: 'false' });
    assert.match(made.receipt.key, /\.sql\.gz$/);
    assertWhole(withoutRestrict(gunzipSync(made.object).toString()));
    assert.match(made.log, /^Verified {5}upload: size and MD5 of every part$/m);
  });

  test('dual without a filestore: a zip of the database', async () => {
    const made = await scene.backup({ filestore: 'false' });
    assert.equal((await members(made.path)).length, 4);
    assert.equal(made.receipt.filestore, null);
    assert.equal(made.receipt.description, undefined, 'backup.json has it');
    assert.deepEqual(
      made.receipt.segments.map(({ kind }) => kind),
      ['database', 'database', 'description'],
    );
  });

  test('plain with a filestore is refused, with every other problem', async () => {
    const wrong = { format: 'plain', jobs: '0', compression: '10', 'ssh-port': '0' } as const;
    await scene.fails(
      wrong,
      2,
      /4 inputs need a change/,
      /format: plain is one SQL file/,
      /jobs: '0'/,
      /compression: '10'/,
    );
  });

  test('a dry run looks at everything and writes nothing', async () => {
    const ended = await scene.run({ 'dry-run': 'true' });
    assert.equal(ended.exitCode, 0, ended.log);
    assert.match(
      ended.log,
      /Dry run: everything that a backup to s3:\S+\.zip needs is in place\. None was made\./,
    );
    assert.equal(ended.stdout, '');
    await assertNothingStored(scene.client, scene.bucket);
    await assertNothingRuns(scene.ssh, scene.sandbox.postgres, scene.odoo.database);
  });
});
