import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { after, before, suite, test } from 'node:test';
import { receiptKey } from '../../src/catalog/keys.ts';
import { CopyScene } from '../support/copy-scene.ts';
import { run } from '../support/processes.ts';

suite('a restore that cannot be', () => {
  let scene: CopyScene;
  /** Key of a bare dump. */
  let key: string;
  before(async () => {
    scene = await CopyScene.open();
    const { outputs } = await scene.odoo.succeeds('backup', { format: 'custom', filestore: 'false' });
    key = outputs.key ?? '';
  });
  after(() => scene?.[Symbol.asyncDispose]());

  test('names what is wrong, and what to do, before anything is touched', async () => {
    const { database } = scene.odoo;
    const orphan = scene.filestoreOf(scene.named('orphan'));
    const { account } = scene.odoo.scene.sandbox;
    await run(['sh', '-c', 'mkdir -p "$1/aa" && echo lonely >"$1/aa/aa11"', 'sh', orphan], { as: account });
    const archive = await scene.odoo.succeeds('backup', { format: 'odoo' });
    const dump = await readFile(await scene.dump('newer.dump', '--format=custom', '--schema-only'));
    dump.writeUInt8(99, 6); // the minor version of the format: https://doxygen.postgresql.org/pg__backup__archiver_8h.html
    const newer = await scene.put('newer.dump', dump);

    const ended = await scene.refuses([
      {
        inputs: { 'target-database': database },
        words: [/target-database: \S+ is there already, with [\d.]+ MiB/],
      },
      {
        inputs: { 'target-database': scene.named('orphan'), backup: archive.outputs.key },
        words: [
          /there is no database \S+_orphan, but its filestore is there already: \S+_orphan/,
          /replace: true/,
        ],
      },
      {
        inputs: { backup: 'acme/backups/none.zip' },
        words: [/No backup found for acme\/backups\/none.zip/, /There are:\n +acme/],
      },
      { inputs: { backup: '2020-01-01_00-00-00' }, words: [/No backup found for 2020-01-01_00-00-00/] },
      {
        inputs: { customer: 'nobody' },
        words: [/No backup found in s3:\S+nobody\/backups\/\.\n +Check the S3 bucket/],
      },
      { inputs: { database: 'other' }, words: [/No backup found of other in/] },
      {
        inputs: { database: 'other', backup: key },
        words: [/database: the backup is of \S+, and not of other/],
      },
      {
        inputs: { backup: newer, 'allow-unverified': 'true' },
        words: [/unsupported version \(\S+\) in file header/, /written by a newer pg_dump/],
      },
    ]);
    for (const { log } of ended) assert.doesNotMatch(log, /^Create the database/m);
    await rm(orphan, { recursive: true });
  });

  test('here: the dry run and the real one name everything that stands in the way at once', async () => {
    const receipt = await scene.odoo.receipt(receiptKey(key));
    const { description } = receipt;
    assert.ok(description);
    const postgres = {
      ...description.postgres,
      server: '99.1',
      collate: 'xx_XX.UTF-8',
    };
    const absent = { name: 'absent', version: '3.4.0', schema: 'public' };
    await scene.odoo.putReceipt(receiptKey(key), {
      ...receipt,
      description: { ...description, postgres, extensions: [...description.extensions, absent] },
    });
    const words = [
      /The backup is of PostgreSQL 99, and the host has \d+/,
      /does not have the locale of the backup’s database: xx_XX.UTF-8/,
      /locale-gen xx_XX.UTF-8/,
      /The extension absent of the backup is not installed/,
      /Install its package there, such as postgresql-\d+-absent/,
      /3 things stand in the way/,
      /Nothing was changed/,
    ];
    await scene.refuses([
      { inputs: { backup: key }, words },
      { inputs: { backup: key, 'dry-run': 'true' }, words },
    ]);
    await scene.odoo.putReceipt(receiptKey(key), receipt);
  });

  test('by its inputs', async () => {
    for (const name of [
      'postgres',
      'template1',
      'x'.repeat(64),
      `"; DROP`,
      `${scene.odoo.database}__old_20260101000000`,
    ]) {
      const { exitCode, log } = await scene.odoo.run('restore', { 'target-database': name });
      assert.equal(exitCode, 2, log);
      assert.match(log, /target-database: .*\n.*Nothing was touched/);
    }
    const { exitCode, log } = await scene.odoo.run('restore', {
      'target-database': scene.named('copy'),
      filestore: scene.odoo.scene.odoo.filestore,
    });
    assert.equal(exitCode, 2, log);
    assert.match(log, /filestore: \S+ is not the folder of \S+_copy: Odoo looks for its attachments in/);
  });
});
