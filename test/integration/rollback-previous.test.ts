import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { heldStop } from '../support/held-stop.ts';
import { dropDatabase } from '../support/postgres.ts';
import { type DeployedScene, openDeployed } from '../support/rollback-scene.ts';

const DAY_MS = 24 * 3_600_000;

// Three Odoos side by side: a suite that begins with one has it for itself.
suite('a rollback and what was there before', { concurrency: true }, () => {
  suite('on one Odoo, which each suite leaves as the backup has it', { concurrency: false }, () => {
    let scene: DeployedScene;
    before(async () => {
      scene = await openDeployed();
    });
    after(() => scene?.[Symbol.asyncDispose]());

    suite('a dry run', () => {
      for (const [how, inputs, env] of [
        ['the input', { 'dry-run': 'true' }, {}],
        ['DRY_RUN', {}, { DRY_RUN: 'true' }],
      ] as const) {
        test(`asked for by ${how} prints the plan and changes nothing`, async () => {
          const before = [await scene.traces(), await scene.snapshot(), await scene.everything()];
          const { exitCode, log } = await scene.run('rollback', inputs, env);
          assert.equal(exitCode, 0, log);
          assert.match(log, /^ {2}1\. Create the database /m);
          assert.match(log, /none to be fetched/);
          assert.match(log, /Added since +1 file \(0 B\), not in the backup/);
          assert.match(log, /Nothing was changed/);
          assert.deepEqual([await scene.traces(), await scene.snapshot(), await scene.everything()], before);
        });
      }

      test('gives the key that a real run is to take', async () => {
        const { outputs } = await scene.succeeds('rollback', { 'dry-run': 'true' });
        assert.equal(outputs.downtime, undefined);
        assert.equal(outputs.database, scene.database);
        const done = await scene.succeeds('rollback', { backup: outputs.key ?? '' });
        assert.equal(done.outputs.key, outputs.key);
        assert.deepEqual(await scene.snapshot(), scene.backedUp);
      });

      test('says who holds the lock', async () => {
        await using stop = await heldStop(scene.scene.folder, scene.server.stopCommand);
        const run = scene.start('rollback', { 'stop-command': stop.command });
        await stop.reached(run);
        for (const [command, inputs] of [
          ['rollback', { 'dry-run': 'true' }],
          ['rollback', {}],
          ['backup', {}],
        ] as const) {
          const { exitCode, log } = await scene.run(command, inputs);
          assert.equal(exitCode, 1, log);
          assert.match(
            log,
            /Another backup or restore of \S+ is running since \d{4}-\d\d-\d\d \d\d:\d\d UTC: rollback/,
          );
        }
        await stop.letGo();
        assert.equal((await run.ended).exitCode, 0);
      });
    });

    suite('a database whose DROP was cut', () => {
      const cutDrop = (name: string) =>
        scene.sql(`UPDATE pg_database SET datconnlimit = -2 WHERE datname = '${name}'`, 'postgres');

      test('is dropped where a restore has left it', async () => {
        for (const derivation of ['old', 'new']) {
          const name = `${scene.database}__${derivation}_20261101000000`;
          await scene.sql(
            `CREATE DATABASE "${name}" OWNER "${scene.scene.sandbox.postgres.odoo.name}"`,
            'postgres',
          );
          await cutDrop(name);
        }
        const { log } = await scene.succeeds('rollback');
        assert.match(log, /Clean up after a run that was killed/);
        assert.deepEqual(
          (await scene.traces()).databases.map((line) => line.split('|')[0]),
          [scene.database],
        );
      });

      test('is replaced where it is the one that Odoo uses, and is not kept', async () => {
        await scene.server.stop();
        await cutDrop(scene.database);
        const { log } = await scene.succeeds('rollback', { 'keep-previous': 'always' });
        assert.match(log, /its DROP was cut/);
        assert.deepEqual(
          (await scene.traces()).databases.map((line) => line.split('|')[0]),
          [scene.database],
        );
        assert.deepEqual(await scene.snapshot(), scene.backedUp);
      });
    });

    suite('what is gone altogether', () => {
      const gone = {
        'the database': () => dropDatabase(scene.scene.sandbox.postgres, scene.database),
        'the filestore': () => rm(scene.scene.odoo.filestore, { recursive: true }),
        both: async () => {
          await gone['the database']();
          await gone['the filestore']();
        },
      };
      for (const [what, remove] of Object.entries(gone)) {
        test(`${what}: comes back, and Odoo with it`, async () => {
          await remove();
          const { log, outputs } = await scene.succeeds('rollback');
          assert.deepEqual(await scene.snapshot(), scene.backedUp);
          assert.ok(Number(outputs.downtime) > 0, 'Odoo was started again');
          assert.match(log, /answers/);
          assert.equal((await scene.server.state())?.attachments, scene.attachments);
          const { databases, folders } = await scene.traces();
          assert.deepEqual([databases.length, folders], [1, [scene.database]]);
        });
      }

      test('a filestore that had lost its database is kept for days as well, and then goes', async () => {
        await gone['the database']();
        const { log } = await scene.succeeds('rollback', { 'keep-previous': '' });
        const [old = '', note = ''] = (await scene.traces()).folders.filter(
          (name) => name !== scene.database,
        );
        assert.match(log, new RegExp(`the filestore ${old}; .*; until \\d{4}`));
        assert.equal(note, `${old}.note`);
        const dry = await scene.succeeds('rollback', { 'dry-run': 'true' });
        assert.match(dry.log, new RegExp(`^ +Kept so far +the filestore ${old}, kept until `, 'm'));
        const past = new Date(Date.now() - DAY_MS).toISOString();
        const { filestore } = scene.scene.odoo;
        await writeFile(join(dirname(filestore), note), `odoo-backup: replaced ${past}; keep until ${past}`);
        await scene.succeeds('backup');
        assert.deepEqual((await scene.traces()).folders, [scene.database]);
      });
    });
  });

  suite('what a rollback replaces', { concurrency: false }, () => {
    let scene: DeployedScene;
    before(async () => {
      scene = await openDeployed();
      await scene.sql(`COMMENT ON DATABASE ${scene.database} IS 'Odoo of Acme'`);
    });
    after(() => scene?.[Symbol.asyncDispose]());

    const kept = async () => {
      const { databases, folders } = await scene.traces();
      return {
        databases: databases.map((line) => line.split('|')[0]).filter((name) => name !== scene.database),
        folders: folders.filter((name) => name !== scene.database),
      };
    };

    test('is kept for good', async () => {
      const { log } = await scene.succeeds('rollback', { 'keep-previous': 'always' });
      const { databases, folders } = await kept();
      assert.equal(databases.length, 1, log);
      assert.deepEqual(folders, databases);
      const [name = ''] = databases;
      assert.ok(log.includes(`Kept`) && log.includes(name), log);
      const comment = await scene.sql(
        `SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '${name}'`,
        'postgres',
      );
      assert.match(comment, /^odoo-backup: replaced \S+; keep always\nOdoo of Acme$/);
    });

    test('is kept for days, and removed by the first backup after that', async () => {
      const before = await kept();
      await scene.succeeds('rollback', { 'keep-previous': '7' });
      const [name = ''] = (await kept()).databases.filter((each) => !before.databases.includes(each));
      await scene.succeeds('backup');
      assert.ok((await kept()).databases.includes(name), 'the days are not over');
      const past = new Date(Date.now() - DAY_MS).toISOString();
      await scene.sql(
        `COMMENT ON DATABASE "${name}" IS 'odoo-backup: replaced ${past}; keep until ${past}'`,
        'postgres',
      );
      const { log } = await scene.succeeds('backup');
      assert.match(
        log,
        new RegExp(`^Remove what was kept for its time: database and filestore ${name}`, 'm'),
      );
      assert.deepEqual(await kept(), before);
    });

    test('is gone once Odoo is healthy, where that is asked for', async () => {
      const before = await kept();
      await scene.succeeds('rollback', { 'keep-previous': 'until-healthy' });
      assert.deepEqual(await kept(), before);
    });

    test('stays for three days otherwise, and the plan says how long and what space that takes', async () => {
      const before = await kept();
      const { log } = await scene.succeeds('rollback', { 'keep-previous': '' });
      const [name = ''] = (await kept()).databases.filter((each) => !before.databases.includes(each));
      const until = new Date(Date.now() + 3 * DAY_MS).toISOString().slice(0, 10);
      const plan = `Keep what was replaced\n +database and filestore ${name}; it takes [\\d.]+ MiB; until ${until} `;
      assert.match(log, new RegExp(plan));
      assert.match(
        log,
        new RegExp(`^Kept +what was replaced: database and filestore ${name}, until ${until} `, 'm'),
      );
      assert.match(await commentOf(name), /^odoo-backup: replaced \S+; keep until \S+/);
    });

    const commentOf = (name: string) =>
      scene.sql(
        `SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '${name}'`,
        'postgres',
      );
  });

  suite('what a rollback has replaced that was killed before its end', { concurrency: false }, () => {
    let scene: DeployedScene;
    before(async () => {
      scene = await openDeployed();
    });
    after(() => scene?.[Symbol.asyncDispose]());

    const olds = async () => {
      const { databases } = await scene.traces();
      return databases.map((line) => line.split('|')[0] ?? '').filter((name) => name.includes('__old_'));
    };
    let left = '';

    test('is named by the next plan as what it is, and kept as that one keeps', async () => {
      const run = scene.start('rollback', { 'health-check': 'http://127.0.0.1:1/ within 10m' });
      await run.says(/^Wait until Odoo is healthy/m);
      run.child.kill('SIGKILL');
      await run.ended;
      await scene.untilQuiet();
      [left = ''] = await olds();
      const words = new RegExp(
        `database and filestore ${left}(;|,) left by an interrupted rollback, as of \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d UTC`,
      );
      const backup = await scene.succeeds('backup');
      assert.match(backup.log, new RegExp(`did not come to its end.*${left}`));

      const dry = await scene.succeeds('rollback', { 'dry-run': 'true' });
      assert.match(dry.log, words);
      assert.match(dry.log, /Keep what was replaced|Remove what was replaced/);

      const { log } = await scene.succeeds('rollback', { 'keep-previous': '' });
      assert.match(log, words);
      const [kept = '', ...more] = await olds();
      assert.equal(kept, left);
      assert.equal(more.length, 1);
      await scene.sql(`ALTER DATABASE "${left}" ALLOW_CONNECTIONS true`, 'postgres');
      assert.equal(
        (await scene.sql("SELECT count(*) FROM res_partner WHERE name LIKE 'broken %'", left)) !== '0',
        true,
      );
    });

    test('is settled by that: the next plan leaves it to its days', async () => {
      const { log } = await scene.succeeds('rollback', { 'dry-run': 'true' });
      assert.doesNotMatch(log, /interrupted/);
      assert.match(log, new RegExp(`^ +Kept so far +.*${left}, kept until `, 'm'));
    });

    test('goes with the others once its days are over', async () => {
      const past = new Date(Date.now() - DAY_MS).toISOString();
      for (const name of await olds()) {
        await scene.sql(
          `COMMENT ON DATABASE "${name}" IS 'odoo-backup: replaced ${past}; keep until ${past}'`,
          'postgres',
        );
      }
      await scene.succeeds('backup');
      assert.deepEqual(await olds(), []);
      assert.deepEqual((await scene.traces()).folders, [scene.database]);
    });
  });
});
