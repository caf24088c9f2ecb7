import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { receiptKey } from '../../src/catalog/keys.ts';
import { outputsOf } from '../support/backup-run.ts';
import { documentedSudoers } from '../support/documents.ts';
import { getObject } from '../support/s3.ts';
import { assertOneOdoo, assertSameHost, SystemdScene, tracesOf } from '../support/systemd-scene.ts';

/** What PostgreSQL 17 has and earlier ones have not, on Debian 13. */
suite('a host with PostgreSQL 17', { concurrency: false }, () => {
  let scene: SystemdScene;
  let then: Awaited<ReturnType<SystemdScene['content']>>;
  before(async () => {
    scene = await SystemdScene.open({ sudoers: documentedSudoers(), suite: 'trixie' });
    // Sorted by PostgreSQL's own provider, which came with 17.
    await scene.shell(`systemctl stop odoo
      runuser -u odoo -- createdb --template=template0 --locale-provider=builtin --builtin-locale=C.UTF-8 new
      runuser -u odoo -- pg_dump shop | runuser -u odoo -- psql -Xqo /dev/null -v ON_ERROR_STOP=1 -d new
      runuser -u odoo -- dropdb shop
      runuser -u postgres -- psql -Xqc 'ALTER DATABASE new RENAME TO shop'
      systemctl start odoo`);
    await scene.untilUp();
    then = await scene.content();
  });
  after(() => scene?.[Symbol.asyncDispose]());

  const rollback = { services: 'odoo' };
  const provider = () =>
    scene.sql("SELECT datlocprovider, datlocale FROM pg_database WHERE datname = 'shop'", 'postgres');

  test('is backed up, whatever limit its transactions have', async () => {
    await scene.shell(`runuser -u postgres -- psql -Xqc "ALTER ROLE odoo SET transaction_timeout = '50ms'"`);
    await assert.rejects(scene.sql('BEGIN; SELECT pg_sleep(10); COMMIT'), /transaction timeout/);
    const { log } = await scene.succeeds('backup');
    assert.match(log, /PostgreSQL 17\.\d+, .*; pg_dump 17/);
    await scene.shell('runuser -u postgres -- psql -Xqc "ALTER ROLE odoo RESET transaction_timeout"');
  });

  for (const format of ['dual', 'odoo', 'custom', 'directory'] as const) {
    test(`is rolled back from a backup of format ${format}, with its own locale provider`, async () => {
      await scene.succeeds('backup', { format });
      await scene.ruin();
      if (format === 'dual') {
        const traces = await tracesOf(scene);
        const dry = await scene.succeeds('rollback', { ...rollback, 'dry-run': 'true' });
        assert.match(dry.log, /^ +\d+\. Swap the databases, by rename$/m);
        await assertSameHost(scene, traces);
      }
      await scene.succeeds('rollback', rollback);
      assert.deepEqual(await scene.content(), then);
      assert.equal(await provider(), 'b|C.UTF-8');
      await assertOneOdoo(scene);
    });
  }

  test('runs nothing that a receipt calls a locale provider', async () => {
    // The receipt of a bare dump says what backup.json says in an archive.
    const bare = { filestore: 'false' };
    const { key = '' } = outputsOf(await scene.succeeds('backup', { ...bare, format: 'custom' }));
    const Key = receiptKey(key);
    const receipt = JSON.parse(Buffer.from(await getObject(scene.client, scene.bucket, Key)).toString());
    receipt.description.postgres.localeProvider = 'libc\n\\! touch /tmp/was-run';
    await scene.client.send(
      new PutObjectCommand({ Bucket: scene.bucket, Key, Body: JSON.stringify(receipt) }),
    );
    const traces = await tracesOf(scene);
    for (const dry of ['true', 'false']) {
      await scene.fails(
        'rollback',
        { ...rollback, ...bare, backup: key, 'dry-run': dry },
        /description\.postgres\.localeProvider is /,
      );
    }
    await assertSameHost(scene, traces);
    assert.doesNotMatch(await scene.shell('ls /tmp'), /was-run/);
  });
});
