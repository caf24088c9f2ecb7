import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { suite, test } from 'node:test';
import { CopyScene } from '../support/copy-scene.ts';
import { zipOf } from '../support/foreign-archives.ts';
import type { RawInputs } from '../support/inputs.ts';
import type { Fixture } from '../support/odoo.ts';
import { RollbackScene } from '../support/rollback-scene.ts';

suite('a rollback from a backup', { concurrency: 3 }, () => {
  const archives: readonly (readonly [Fixture, RawInputs])[] = [
    ['slim', { format: 'odoo' }],
    ['slim', { format: 'custom' }],
    ['full', { format: 'directory', jobs: '2' }], // of the others, other tests have the full one
  ];
  for (const [fixture, inputs] of archives) {
    test(`of format ${inputs.format}: rows, files and their rights are as they were`, async () => {
      await using scene = await RollbackScene.open({}, undefined, { fixture });
      const then = await scene.snapshot();
      await scene.succeeds('backup', inputs);
      await scene.damage();
      await scene.succeeds('rollback', { backup: 'latest' });
      const now = await scene.snapshot();
      assert.ok(now.sql === then.sql, 'other rows');
      assert.deepEqual(now.files, then.files);
    });
  }

  for (const [format, extension] of [
    ['custom', 'dump'],
    ['plain', 'sql.gz'],
  ] as const) {
    test(`of format ${format} without a filestore: the database, and nothing else`, async () => {
      await using scene = await RollbackScene.open();
      const then = await scene.snapshot();
      const { outputs } = await scene.succeeds('backup', { format, filestore: 'false' });
      assert.match(outputs.key ?? '', new RegExp(`\\.${extension}$`));
      await scene.sql("DROP TABLE res_partner_bank CASCADE; UPDATE res_partner SET name = 'broken'");
      const { log } = await scene.succeeds('rollback');
      const now = await scene.snapshot();
      assert.ok(now.sql === then.sql, 'other rows');
      assert.deepEqual(now.files, then.files);
      assert.match(log, /warning: The backup is of the database alone: the filestore stays as it is/);
    });
  }

  test('of another program, which names its database in manifest.json alone', async () => {
    await using scene = await CopyScene.open();
    const { odoo } = scene;
    const { database } = odoo;
    const dump = await scene.dump('dump.sql', '--no-owner');
    const manifest = JSON.stringify({ odoo_dump: '1', db_name: database, major_version: '14.0' });
    const script = (name: string) =>
      `z.writestr('manifest.json', ${JSON.stringify(manifest.replace(database, name))})`;
    const zip = (name: string) =>
      zipOf(odoo.scene.odoo, { files: { 'dump.sql': dump }, script: script(name) });
    const own = await scene.put('own.zip', await zip(database));
    const other = await scene.put('other.zip', await zip('other'));
    const unnamed = await scene.put('unnamed.sql', await readFile(dump));
    const then = await odoo.snapshot();

    await odoo.damage();
    await scene.refuses([
      { command: 'rollback', inputs: { backup: own }, words: [/has no receipt.*allow-unverified: true/s] },
    ]);
    await scene.refuses([
      {
        command: 'rollback',
        inputs: { backup: other, 'allow-unverified': 'true' },
        words: [new RegExp(`The backup is of other, and the database to roll back is ${database}`)],
      },
    ]);
    const dry = await odoo.succeeds('rollback', {
      backup: unnamed,
      'allow-unverified': 'true',
      'dry-run': 'true',
    });
    assert.match(dry.log, /warning: .*unnamed.sql does not say which database it is of/);
    const { log } = await odoo.succeeds('rollback', { backup: own, 'allow-unverified': 'true' });
    assert.match(log, /warning: The backup has no receipt: nobody has verified that it is whole/);
    const now = await odoo.snapshot();
    assert.ok(now.sql === then.sql, 'other rows');
    assert.deepEqual(now.files, then.files);
  });
});
