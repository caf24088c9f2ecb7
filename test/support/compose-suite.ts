import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Receipt } from '../../src/catalog/receipt.ts';
import { type Ended, outputsOf } from './backup-run.ts';
import type { Kind } from './compose-host.ts';
import { ComposeScene } from './compose-scene.ts';

const receiptOf = (ended: Ended): Receipt => JSON.parse(outputsOf(ended).json ?? '');

/**
 * The tests of Odoo in Compose, on one kind of host. What its Compose or its engine does is tried on each kind; what
 * goes the same way on several is tried on one of them.
 *
 * @param version of Compose, as the log names it
 */
export function composeSuite(kind: Kind, version: RegExp): void {
  const on = (...kinds: readonly Kind[]) => ({
    skip: !kinds.includes(kind) && `tried on ${kinds.join(', ')}`,
  });
  suite(`Odoo in Compose: ${kind}`, { concurrency: false }, () => {
    let scene: ComposeScene;
    let then: Awaited<ReturnType<ComposeScene['content']>>;
    let newest: Receipt | undefined;
    before(async () => {
      scene = await ComposeScene.open(kind);
      then = await scene.content();
    });
    after(() => scene?.[Symbol.asyncDispose]());

    const rollback = { services: 'queue-worker' };

    test('is backed up while it runs, and nothing is left', async () => {
      const traces = await scene.traces();
      const ended = await scene.succeeds('backup');
      assert.match(ended.log, version);
      const receipt = receiptOf(ended);
      assert.equal(receipt.filestore?.files, 205);
      assert.equal(receipt.filestore?.missing, 0);
      assert.doesNotMatch(ended.log, /s3cret/);
      await scene.assertTraces(traces);
    });

    test(
      'a name that is none is told with those that there are, and nothing is touched',
      on('bookworm', 'trixie', 'podman'),
      async () => {
        const traces = await scene.traces();
        const there = /the Compose project has no service web\. It has: db, odoo, queue-worker/;
        await scene.fails('rollback', { services: 'web' }, /^error: services: /m, there);
        if (kind === 'trixie') await scene.fails('backup', { 'compose-odoo-service': 'web' }, there);
        await scene.fails(
          'backup',
          { 'compose-project-directory': '/srv' },
          /failed on .*: .*(config|file)/i,
        );
        if (scene.host.engine === 'podman') {
          await scene.shell('mv /etc/sudoers.d/odoo-backup /root');
          await scene.fails('backup', {}, /No container was made yet/, /let it become root by sudo/);
          await scene.shell('mv /root/odoo-backup /etc/sudoers.d');
        }
        await scene.assertTraces(traces);
      },
    );

    test(
      'a copy is made beside it, neutralized, with its own filestore and UUID; Odoo is not stopped',
      on('trixie'),
      async () => {
        const since = await scene.state();
        const inputs = { 'target-database': 'shop_copy', services: '' };
        const ended = await scene.succeeds('restore', inputs);
        assert.match(ended.log, /Copy +neutralized, with a database.uuid of its own/);
        const read = (statement: string) => scene.sql(statement, 'shop_copy');
        const parameter = (key: string) => `SELECT value FROM ir_config_parameter WHERE key = '${key}'`;
        assert.equal(await read(parameter('database.is_neutralized')), 'true');
        assert.notEqual(await read(parameter('database.uuid')), await scene.sql(parameter('database.uuid')));
        assert.equal(
          await read('SELECT cron_name FROM ir_cron WHERE active'),
          'Base: Auto-vacuum internal data',
        );
        const files = (database: string) =>
          scene.amongFilestores(`owner=$(id -u); cd -P ${database}
            find . -path ./checklist -prune -o -type f -exec sha1sum {} + | sort; find . ! -uid "$owner"`);
        assert.equal(await files('shop_copy'), await files('shop'));
        assert.deepEqual(await scene.state(), since, 'Odoo was not started again');
        assert.deepEqual(await scene.content(), then);
        await scene.fails('restore', inputs, /target-database: shop_copy is there already/);
        await scene.dropCopy('shop_copy');
      },
    );

    test(
      'a deploy is rehearsed in a container of the new image; what runs is not touched',
      on('trixie', 'podman'),
      async () => {
        const { engine } = scene.host;
        if (engine === 'docker')
          await scene.shell(
            `printf 'FROM odoo\\nENV RELEASE=next\\n' | docker build --quiet --tag odoo:next -`,
          );
        const [since, traces] = [await scene.state(), await scene.traces()];
        const migration = `import os, psycopg2
database = psycopg2.connect('')
with database, database.cursor() as cursor:
    cursor.execute("UPDATE res_partner SET ref = 'new'")
    cursor.execute('SELECT current_database()')
    print('migrated', cursor.fetchone()[0], os.environ.get('RELEASE'), os.getuid() != 0)
assert os.environ.get('RELEASE') == ${engine === 'docker' ? "'next'" : 'None'} and os.getuid() != 0
assert os.listdir(os.environ['ODOO_REHEARSAL_FILESTORE']) != []
raise SystemExit(int(os.environ.get('FAILS', 0)))`;
        const inputs = {
          'rehearse-command': `python3 -c '${migration.replaceAll("'", `'"'"'`)}'`,
          'rehearse-start': 'exec odoo "$ODOO_REHEARSAL_CONF"',
          ...(engine === 'docker' ? { 'rehearse-image': 'odoo:next' } : {}),
        };
        const ended = await scene.succeeds('rehearse', inputs);
        assert.match(ended.log, /shop: the rehearsal works: .* of migration, Odoo answers after/);
        if (engine === 'docker') {
          const failing = { ...inputs, 'rehearse-command': `export FAILS=3; ${inputs['rehearse-command']}` };
          await scene.fails(
            'rehearse',
            failing,
            /rehearse-command failed after .* \(exit code 3\)/,
            /migrated shop__rehearsal_\d{14} next True/,
          );
        }
        assert.deepEqual(await scene.state(), since, 'Odoo was not started again');
        assert.deepEqual(await scene.content(), then);
        await scene.assertTraces(traces);
      },
    );

    test('Odoo is started on what a backup restores, in a container of its own', on('trixie'), async () => {
      const [since, traces] = [await scene.state(), await scene.traces()];
      const start = { 'rehearse-start': 'exec odoo "$ODOO_REHEARSAL_CONF"' };
      const ended = await scene.succeeds('verify', { verify: 'boot', ...start });
      assert.match(ended.log, /\/web\/login answers 200/);
      const { verified, 'restore-seconds': seconds } = outputsOf(ended);
      assert.equal(verified, 'boot');
      assert.ok(Number(seconds) > 0);
      assert.deepEqual(await scene.state(), since, 'Odoo was not started again');
      await scene.assertTraces(traces);
    });

    test('a start that fails brings back what was there, which runs', on('trixie', 'podman'), async () => {
      await scene.onlyBroken();
      await scene.misdeploy();
      const [damaged, traces] = [await scene.content(), await scene.traces()];
      const ended = await scene.fails('rollback', rollback, /Wait until Odoo is healthy failed/);
      assert.match(ended.log, /As before the restore: .*\/web\/login answers 200/);
      assert.deepEqual(await scene.content(), damaged);
      await scene.untilUp();
      await scene.assertTraces(traces);
      await scene.mended();
    });

    // A podman-compose whose connection broke goes on stopping while the new one starts: which of them wins is open.
    test(
      'a connection that breaks when Odoo is stopped brings back what was there, which runs',
      on('bookworm', 'trixie'),
      async () => {
        await scene.misdeploy();
        const [damaged, traces] = [await scene.content(), await scene.traces()];
        const run = scene.start('rollback', rollback);
        await run.says(/^Stop Odoo$/m);
        await scene.shell('pkill -u deploy sshd');
        const ended = await run.ended;
        assert.equal(ended.exitCode, 1, ended.log);
        assert.deepEqual(await scene.content(), damaged);
        await scene.untilUp();
        await scene.assertTraces(traces);
      },
    );

    test(
      'a dry run changes nothing; the run puts everything back, and Odoo runs',
      on('bookworm', 'trixie', 'podman'),
      async () => {
        await scene.misdeploy();
        const [damaged, traces] = [await scene.content(), await scene.traces()];
        const dry = await scene.succeeds('rollback', { ...rollback, 'dry-run': 'true' });
        assert.match(dry.log, /compose stop odoo queue-worker$/m);
        await scene.assertTraces(traces);
        assert.deepEqual(await scene.content(), damaged);

        const ended = await scene.succeeds('rollback', rollback);
        assert.match(ended.log, /\/web\/login answers 200/);
        assert.deepEqual(await scene.content(), then);
        assert.equal((await scene.untilUp()).files, 203);
        await scene.assertTraces(traces);
      },
    );

    test('only the database in Compose, and Odoo outside: it is backed up', on('trixie'), async () => {
      await scene.shell(`volume=$(docker volume inspect --format '{{.Mountpoint}}' odoo_odoo-data)
        sed "s|^data_dir.*|data_dir = $volume/.local/share/Odoo|" /srv/odoo/config/odoo.conf >/srv/outside.conf
        echo 'deploy ALL=(root) NOPASSWD: ALL' >/etc/sudoers.d/odoo-backup`);
      const inputs = { 'compose-odoo-service': '', 'odoo-conf': '/srv/outside.conf' };
      const receipt = receiptOf(await scene.succeeds('backup', inputs));
      assert.equal(receipt.filestore?.files, 205);
      await scene.shell('rm /srv/outside.conf /etc/sudoers.d/odoo-backup');
    });

    test('stopped, it is backed up and rolled back', async () => {
      await scene.host.compose('stop', 'odoo', 'queue-worker');
      const traces = await scene.traces();
      const ended = await scene.succeeds('backup');
      newest = receiptOf(ended);
      assert.equal(newest.filestore?.files, 205);
      await scene.misdeploy();
      await scene.succeeds('rollback', rollback);
      assert.deepEqual(await scene.content(), then);
      await scene.untilUp();
      await scene.assertTraces(traces);
    });

    test(
      'the image of the backup comes back, and the newer one where that is undone',
      on('trixie'),
      async () => {
        await scene.shell(`echo 'deploy ALL=(root) NOPASSWD: ALL' >/etc/sudoers.d/odoo-backup`);
        const before = newest?.code?.images.find(({ service }) => service === 'odoo');
        assert.ok(before);
        const first = await scene.runningImage('odoo');
        assert.equal(before.id, first);
        await scene.deployImage();
        const second = await scene.runningImage('odoo');
        assert.notEqual(second, first);
        await scene.misdeploy();

        const dry = await scene.succeeds('rollback', { 'dry-run': 'true' });
        assert.match(
          dry.log,
          /stays as it is: the service odoo runs odoo:2 \(.*, the backup was made with odoo \(/,
        );
        const switching = {
          'code-command': scene.imageCommand(),
          'code-user': 'root',
          'require-same-code': 'true',
        };
        const unwell = { 'health-check': 'http://127.0.0.1:9/ within 1s' };
        await scene.fails('rollback', { ...switching, ...unwell }, /Switch the code to what it was before/);
        await scene.untilUp();
        assert.equal(await scene.runningImage('odoo'), second);

        const ended = await scene.succeeds('rollback', switching);
        assert.match(ended.log, /The code is that of the backup/);
        assert.match(ended.log, /\/web\/login answers 200/);
        assert.equal(await scene.runningImage('odoo'), first);
        assert.deepEqual(await scene.content(), then);
        await scene.untilUp();
        await scene.forgetImages();
      },
    );

    test(
      'who Odoo is to PostgreSQL stands in secrets: they are read from containers, stopped or not',
      on('trixie', 'podman'),
      async () => {
        await scene.keepSecrets();
        await scene.host.compose('stop', 'odoo', 'queue-worker');
        const outside = {
          'compose-odoo-service': '',
          'odoo-conf': '/srv/odoo/config/odoo.conf',
          filestore: 'false',
        };
        for (const inputs of kind === 'trixie' ? [{}, outside] : [{}]) {
          const ended = await scene.succeeds('backup', inputs);
          assert.doesNotMatch(ended.log, /s3cret/);
        }
        const words =
          /PASSWORD_FILE of the service queue-worker, which is exited, names \/srv\/password, which cannot be read/;
        const own = { 'compose-odoo-service': 'queue-worker' };
        await scene.fails('backup', own, words);
        await scene.putInto('queue-worker', 'secrets/password', '/srv/password');
        await scene.succeeds('backup', own);
      },
    );

    test(
      'only Odoo in Compose, and the database outside: it is backed up, and rolled back',
      on('bookworm'),
      async () => {
        await scene.moveDatabaseOut();
        const inputs = { 'compose-db-service': '' };
        const traces = await scene.traces();
        const backup = await scene.succeeds('backup', inputs);
        assert.doesNotMatch(backup.log, /PostgreSQL: service/);
        assert.equal(receiptOf(backup).filestore?.files, 205);
        await scene.misdeploy();
        const ended = await scene.succeeds('rollback', { ...rollback, ...inputs });
        assert.match(ended.log, /\/web\/login answers 200/);
        assert.deepEqual(await scene.content(), then);
        assert.equal((await scene.untilUp()).files, 203);
        await scene.assertTraces(traces);
      },
    );
  });
}
