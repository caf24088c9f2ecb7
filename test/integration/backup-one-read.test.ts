import assert from 'node:assert/strict';
import { appendFile, chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { dumpAsSql, sqlOf, withoutRestrict } from '../support/backup-check.ts';
import { Scene } from '../support/backup-run.ts';
import { run } from '../support/processes.ts';

/** Each pg_dump of ours is started by `env`: here in front of it, which has another program take its place. */
const ENV = `#!/bin/sh
for each; do
  shift
  case $each in */bin/pg_dump) export PG_DUMP="$each"; each=$(dirname "$0")/pg_dump; esac
  set -- "$@" "$each"
done
exec /usr/bin/env "$@"
`;
/** The real pg_dump, in a log; its dump may be in another version of the format. */
const PG_DUMP = `#!/bin/sh
folder=$(dirname "$0")
echo "$*" >>"$folder/log"
case "$*" in *--format=custom*)
  [ ! -e "$folder/newer" ] || { printf 'PGDMP\\001\\021'; "$PG_DUMP" "$@" | tail -c +8; exit; }
esac
exec "$PG_DUMP" "$@"
`;

suite('format dual', () => {
  let scene: Scene;
  let folder: string;
  let source: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'one-read-'));
    await chmod(folder, 0o777); // the host's account writes the log
    await writeFile(join(folder, 'env'), ENV, { mode: 0o755 });
    await writeFile(join(folder, 'pg_dump'), PG_DUMP, { mode: 0o755 });
    scene = await Scene.open({}, { PATH: `${folder}:/usr/local/bin:/usr/bin:/bin` });
    source = await sqlOf(scene.sandbox.postgres, scene.odoo.database);
  });
  after(async () => {
    await scene?.[Symbol.asyncDispose]();
    if (folder) await rm(folder, { recursive: true });
  });

  /** The formats of the dumps that the host made since the last time. */
  async function dumped(): Promise<string[]> {
    const log = await readFile(join(folder, 'log'), 'utf8');
    await writeFile(join(folder, 'log'), '');
    return Array.from(log.matchAll(/--format=(\w+)/g), ([, format = '']) => format).sort();
  }

  for (const compression of ['auto', '0']) {
    test(`reads the database once: compression ${compression}`, async () => {
      const made = await scene.backup({ compression, verify: 'contents' });
      assert.deepEqual(await dumped(), ['custom']);
      const stem = made.receipt.key.replace(/^.*\/|\.zip$/g, '');
      const sql = withoutRestrict(await run(['unzip', '-p', made.path, 'dump.sql']));
      assert.ok(sql === source, 'dump.sql is not what pg_dump would have written');
      await run(['unzip', '-qo', made.path, `${stem}.dump`, '-d', scene.folder]);
      const dump = await dumpAsSql(scene.sandbox.postgres, join(scene.folder, `${stem}.dump`));
      assert.ok(dump === source, 'the dump is not the database');
    });
  }

  test('reads it twice where the dump is by a newer pg_dump than is known, and says so', async () => {
    await appendFile(join(folder, 'newer'), '');
    const made = await scene.backup();
    assert.deepEqual(await dumped(), ['custom', 'plain']);
    assert.match(made.log, /The database is read twice: the dump is in version 1\.17 of the format/);
    assert.ok(withoutRestrict(await run(['unzip', '-p', made.path, 'dump.sql'])) === source);
  });
});
