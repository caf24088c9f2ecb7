import assert from 'node:assert/strict';
import { after, before, beforeEach, suite, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { documentedSudoers } from '../support/documents.ts';
import { assertOneOdoo, assertSameHost, SystemdScene, tracesOf } from '../support/systemd-scene.ts';

suite('space on a systemd host', { concurrency: false }, () => {
  let scene: SystemdScene;
  let then: Awaited<ReturnType<SystemdScene['content']>>;
  before(async () => {
    scene = await SystemdScene.open({ sudoers: documentedSudoers() });
    // File systems of their own, with what was there. Nothing but the tests takes space there.
    await scene.shell(`runuser -u postgres -- psql -Xqc 'ALTER SYSTEM SET autovacuum = off'
      systemctl stop odoo postgresql
      for folder in /var/lib/postgresql ${parentOf(scene.host.filestore)}; do
        cp -a "$folder" /root/kept
        mount -t tmpfs -o size=400M,mode=0755 tmpfs "$folder"
        chown --reference=/root/kept "$folder"
        cp -a /root/kept/. "$folder"
        rm -r /root/kept
      done
      systemctl start postgresql; until pg_isready --quiet; do sleep 0.1; done; systemctl start odoo`);
    await scene.untilUp();
    await scene.shell(`runuser -u postgres -- psql -Xqd shop -c "CREATE TABLE filler AS
      SELECT n, repeat(md5(n::text), 8) AS text FROM generate_series(1, 110000) n; ALTER TABLE filler OWNER TO odoo"`);
    then = await scene.content();
    await scene.succeeds('backup');
    await scene.misdeploy();
  });
  after(() => scene?.[Symbol.asyncDispose]());
  beforeEach(() => scene.shell('umount -q /tmp /var/tmp || :; rm -f /var/lib/postgresql/filler'));

  /** Leaves so many MiB in the file system of a folder. */
  const leave = (mib: number, folder: string) =>
    scene.shell(
      `free=$(df -Pm ${folder} | awk 'NR == 2 { print $4 }'); fallocate -l $((free - ${mib}))M ${folder}/filler`,
    );

  test('where the new database does not fit beside the old, nothing is begun', async () => {
    await leave(60, '/var/lib/postgresql');
    const traces = await tracesOf(scene);
    for (const inputs of [{ 'dry-run': 'true' }, {}]) {
      await scene.fails(
        'rollback',
        { ...inputs, services: 'odoo' },
        /Building the new database and write-ahead log takes about [\d.]+ MiB, and \/var\/lib\/postgresql on the host has (59|60)[\d.]* MiB left/,
        /Nothing was changed/,
      );
      await assertSameHost(scene, traces);
    }
  });

  test('a small dump that grows and grows is ended before the server has no space', async () => {
    const key = 'acme/backups/bomb.sql.gz';
    await scene.client.send(new PutObjectCommand({ Bucket: scene.bucket, Key: key, Body: gzipSync(bomb()) }));
    const traces = await tracesOf(scene);
    await scene.fails(
      'restore',
      { 'target-database': 'bomb', backup: key, 'allow-unverified': 'true' },
      /The dump needs more space than its size suggests: \/var\/lib\/postgresql on the host has only/,
      /Drop bomb__new_\d+/,
    );
    await assertSameHost(scene, traces);
  });

  for (const [size, what, how] of [
    [
      '4M',
      'the dump has no place',
      'rows as they come from the archive, then indexes and constraints by 3 sessions',
    ],
    ['64K', 'not even its table of contents has a place', 'one session, straight from the archive'],
  ] as const) {
    test(`where ${what}, it is loaded as it comes`, async () => {
      await scene.shell(
        `for folder in /tmp /var/tmp; do mount -t tmpfs -o size=${size},mode=1777 tmpfs $folder; done`,
      );
      const { log } = await scene.succeeds('rollback', { services: 'odoo', jobs: '3' });
      assert.ok(log.includes(how), log);
      assert.deepEqual(await scene.content(), then);
      await assertOneOdoo(scene);
    });
  }

  test('where not even its table of contents has a place, a copy goes without the rows it is not to have', async () => {
    await scene.shell(
      'for folder in /tmp /var/tmp; do mount -t tmpfs -o size=64K,mode=1777 tmpfs $folder; done',
    );
    const { log } = await scene.succeeds('restore', {
      'target-database': 'small',
      'skip-table-data': 'filler',
    });
    assert.match(log, /one session, straight from the archive/);
    const rows = await scene.shell(
      "runuser -u postgres -- psql -XAtd small -c 'SELECT count(*), (SELECT count(*) > 0 FROM res_users) FROM filler'",
    );
    assert.equal(rows.trim(), '0|t');
  });
});

/** Rows of some hundred MiB, one after the other: what takes a moment is seen in time, however fast the disk. */
function bomb(): string {
  const rows = `COPY t FROM stdin;\n${`${'x'.repeat(1000)}\n`.repeat(2000)}\\.\nSELECT pg_sleep(0.2);\n`;
  return `CREATE TABLE t (a text);\n${rows.repeat(250)}\n--\n-- PostgreSQL database dump complete\n--\n\n`;
}

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));
