import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openRehearsal, type RehearsalScene } from '../support/rehearsal-scene.ts';

/** The deploy itself, by mistake or on purpose: what a rehearsal runs reaches for the Odoo in use. */
suite('a deploy that reaches for the Odoo in use', { concurrency: false }, () => {
  let scene: RehearsalScene;
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rehearse-'));
    scene = await openRehearsal();
  });
  after(async () => {
    await scene?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  test('by the name of its database or its configuration is not run', async () => {
    for (const [input, shell] of [
      ['rehearse-command', `odoo -u all -d ${scene.database} --stop-after-init`],
      ['rehearse-command', `odoo --database="${scene.database}" -u all`],
      ['rehearse-start', `PGDATABASE=${scene.database} exec odoo`],
      ['rehearse-start', `odoo -d${scene.database}`],
    ] as const) {
      const { exitCode, log } = await scene.rehearse({ [input]: shell });
      assert.equal(exitCode, 1, log);
      assert.ok(log.includes(`${input} names ${scene.database}, the database in use`), log);
    }
    assert.deepEqual(await scene.copies(), []);
    assert.deepEqual(await scene.snapshot(), scene.inUse);
  });

  test('through a file that both filestores have is told, whether it works or not', async () => {
    const { filestore } = scene.scene.odoo;
    const names = await readdir(filestore, { recursive: true });
    const [name = ''] = names.filter((each) => /^[0-9a-f]{2}\/[0-9a-f]{40}$/.test(each)).toSorted();
    const before = await readFile(join(filestore, name));
    const { mode } = await stat(join(filestore, name));
    for (const change of ['printf x >>"$file"; exit 0', 'printf x >>"$file"; exit 1', 'chmod 0 "$file"']) {
      const { exitCode, log } = await scene.rehearse({
        'rehearse-command': `file=$ODOO_REHEARSAL_FILESTORE/${name}; ${change}`,
      });
      assert.equal(exitCode, 1, log);
      assert.ok(
        log.includes(`1 file of the filestore in use was changed through the copy, such as ${name}`),
        log,
      );
      await chmod(join(filestore, name), mode);
      await writeFile(join(filestore, name), before);
    }
    assert.deepEqual(await scene.copies(), []);
  });

  test('by a check that takes forever is ended there when the run is', async () => {
    const check = join(folder, 'forever.sql');
    await writeFile(check, "SELECT pg_sleep(86400), 'it runs forever'");
    const run = scene.start('rehearse', {
      'checks-only': 'true',
      'rehearse-checks': check,
      'stop-command': '',
      'start-command': '',
      'keep-previous': '',
    });
    const sessions = () =>
      scene.sql(
        `SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%it runs ' || 'forever%' AND datname = '${scene.database}'`,
        'postgres',
      );
    while ((await sessions()) === '0') await sleep(50);
    run.child.kill('SIGTERM');
    const { exitCode, log } = await run.ended;
    assert.equal(exitCode, 143, log);
    assert.equal(await sessions(), '0');
  });
});
