import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { receiptKey } from '../../src/catalog/keys.ts';
import { levelOf } from '../../src/catalog/proofs.ts';
import { parseReceipt, type Receipt } from '../../src/catalog/receipt.ts';
import {
  cleanEnvironment,
  type Ended,
  type Made,
  type Run,
  runCommand,
  startProgram,
  type Variables,
} from '../support/backup-run.ts';
import type { RawInputs } from '../support/inputs.ts';
import { assertNothingRuns } from '../support/leftovers.ts';
import { psql } from '../support/postgres.ts';
import { type ArchiveServer, postgresArchive, serveArchive } from '../support/postgres-archive.ts';
import { commandLines } from '../support/processes.ts';
import { ProofScene } from '../support/proof-scene.ts';
import { createRole } from '../support/roles.ts';
import { getObject } from '../support/s3.ts';
import { unsigned } from '../support/unsigned.ts';

/** By the program itself, as people run it. */
suite('verify: restore', () => {
  let scene: ProofScene;
  let made: Made;
  before(async () => {
    scene = await ProofScene.open();
    made = await scene.backup();
  });
  after(() => scene?.[Symbol.asyncDispose]());

  type Asked = [place: string, inputs?: RawInputs, env?: Variables];
  const asked = (...[place, inputs = {}, env = {}]: Asked): [string, RawInputs, Variables] => [
    'verify',
    { ...scene.scene.inputs, verify: 'restore', ...inputs },
    {
      ...cleanEnvironment(scene.scene.sandbox.s3),
      TMPDIR: scene.tmp,
      ODOO_BACKUP_RESTORE_TEST: place,
      ...env,
    },
  ];
  const start = (...given: Asked): Run => startProgram(...asked(...given));
  const verify = (...given: Asked): Promise<Ended> => runCommand(...asked(...given));

  async function receipt(of = made): Promise<Receipt> {
    const key = receiptKey(of.receipt.key);
    const bytes = await getObject(scene.scene.client, scene.scene.bucket, key);
    return parseReceipt(JSON.parse(Buffer.from(bytes).toString()), key);
  }

  const scratchDatabases = (): Promise<string> =>
    psql(
      scene.scene.sandbox.postgres,
      'postgres',
      `SELECT datname FROM pg_database WHERE datname LIKE '${scene.scene.odoo.database}\\_\\_%'`,
    );

  async function assertNothingLeft(): Promise<void> {
    const { ssh, sandbox, odoo } = scene.scene;
    await scene.assertNothingLeft();
    assert.equal(await scratchDatabases(), '');
    await assertNothingRuns(ssh, sandbox.postgres, odoo.database);
  }

  async function passes(running: Promise<Ended>): Promise<Ended> {
    const ended = await running;
    assert.equal(ended.exitCode, 0, ended.log);
    await assertNothingLeft();
    const { proofs } = await receipt();
    const proof = proofs.at(-1);
    assert.equal(proof?.level, 'restore');
    assert.ok(proof?.seconds);
    assert.ok(proof?.programs?.postgres);
    assert.equal(levelOf({ proofs }), 'restore');
    return ended;
  }

  /** It ends without a word about the archive. */
  async function cannot(running: Promise<Ended>, ...words: readonly RegExp[]): Promise<Ended> {
    const before = (await receipt()).proofs.filter(({ level }) => level === 'restore');
    const ended = await running;
    for (const each of words) assert.match(ended.log, each);
    assert.equal(ended.exitCode, 1, ended.log);
    await assertNothingLeft();
    const { proofs } = await receipt();
    assert.deepEqual(
      proofs.filter(({ level }) => level === 'restore'),
      before,
    );
    return ended;
  }

  test('on the runner', async () => {
    await passes(start('runner').ended);
  });

  test('in the run that makes the backup', async () => {
    const { outputs, receipt, log } = await scene.aside(() => scene.scene.backup({ verify: 'restore' }));
    assert.deepEqual(
      receipt.proofs.map(({ level, failure }) => [level, failure]),
      [
        ['upload', undefined],
        ['contents', undefined],
        ['restore', undefined],
      ],
    );
    assert.equal(outputs.verified, 'restore');
    assert.equal(outputs['restore-seconds'], String(receipt.proofs.at(-1)?.seconds));
    assert.match(log, /^Verified {5}restore: restored in .*, and compared$/m);
    await assertNothingLeft();
  });

  test('of what is not as it was recorded: the archive is no backup any more', async () => {
    const other = await scene.backup();
    const { key, counts } = other.receipt;
    const users = counts.res_users ?? assert.fail('res_users was not counted');
    const recorded = unsigned({ ...other.receipt, counts: { ...counts, res_users: users + 1 } });
    await scene.put(receiptKey(key), JSON.stringify(recorded));
    const { exitCode, log } = await verify('runner', { backup: key });
    assert.equal(exitCode, 1, log);
    const failure = new RegExp(`res_users has ${users} rows instead of ${users + 1}`);
    assert.match(log, failure);
    await assertNothingLeft();
    const { proofs } = await receipt(other);
    assert.equal(proofs.at(-1)?.level, 'restore');
    assert.match(proofs.at(-1)?.failure ?? '', failure);
    assert.equal(levelOf({ proofs }), undefined);
    await scene.remove(other);
  });

  test('on the host, which has nothing of it afterwards: two at once, which leave each other’s database alone', async () => {
    const both = [verify('host'), verify('host')];
    for (const { exitCode, log } of await Promise.all(both)) {
      assert.equal(exitCode, 0, log);
      assert.match(log, /PostgreSQL [\d.]+ on \S+@127\.0\.0\.1:\d+, by pg_restore/);
      assert.doesNotMatch(log, /Dropped/);
    }
    for (const each of both) await passes(each);
  });

  test('on the host, by a role of Odoo that may not create databases: db-admin-user does', async () => {
    await using strict = await createRole(scene.scene.sandbox, 'strict');
    const asStrict = { 'db-user': strict.name };
    await cannot(verify('host', asStrict), /permission denied to create database/, /db-admin-user/);
    await passes(verify('host', { ...asStrict, 'db-admin-user': scene.scene.sandbox.postgres.admin.name }));
  });

  test('on a server by its URL: as an admin, and as a role that may create databases', async () => {
    const { postgres } = scene.scene.sandbox;
    for (const { name, password } of [postgres.admin, postgres.odoo]) {
      const url = `postgres://${name}:${password}@127.0.0.1:${postgres.port}/postgres`;
      // Until a look at the processes has met pg_restore, which is done in no time.
      for (let loading = false; !loading; ) {
        const run = start(url);
        await run.says(/by pg_restore/);
        while (run.child.exitCode === null && !loading) {
          const seen = await commandLines();
          assert.ok(!seen.some((line) => line.includes(password)), 'a password in the list of processes');
          loading = seen.some((line) => /pg_restore .*--dbname/.test(line));
        }
        const { log } = await passes(run.ended);
        assert.ok(!log.includes(password), log);
      }
    }
  });

  test('on a server that does not let us in: the URL is to be checked', async () => {
    const { postgres } = scene.scene.sandbox;
    const at = `127.0.0.1:${postgres.port}`;
    await cannot(
      verify(`postgres://odoo:wrong@${at}/postgres`),
      /restore-test: PostgreSQL at .* rejected every account and role/,
    );
    await cannot(
      verify(`postgres://odoo:${postgres.odoo.password}@${at}/none`),
      /Database does not exist: none/,
    );
    await cannot(
      verify('postgres://odoo:none@127.0.0.1:9/postgres'),
      /restore-test: PostgreSQL does not answer/,
    );
  });

  for (const place of ['runner', 'host'] as const) {
    test(`is cancelled on the ${place}: nothing is left`, async () => {
      const run = start(place);
      await run.says(/by pg_restore/);
      run.child.kill('SIGTERM');
      const { exitCode, log } = await run.ended;
      assert.equal(exitCode, 143, log);
      await assertNothingLeft();
    });
  }

  test('is killed on the runner: the server ends by itself, and takes its folder with it', async () => {
    const run = start('runner');
    await run.says(/by pg_restore/);
    run.child.kill('SIGKILL');
    await run.ended;
    while ((await readdir(scene.tmp)).length > 0) await sleep(20);
    await assertNothingLeft();
  });

  test('is killed on the host: the next test drops what it has left, or the next backup', async () => {
    for (const next of ['verify', 'backup'] as const) {
      const run = start('host');
      let left = '';
      while (left === '') left = await scratchDatabases();
      run.child.kill('SIGKILL');
      await run.ended;
      await assertNothingRuns(scene.scene.ssh, scene.scene.sandbox.postgres, left);
      assert.equal(await scratchDatabases(), left);
      const dropped = new RegExp(`Dropped ${left}: a (restore )?test that was killed had left it`);
      if (next === 'verify') {
        assert.match((await passes(verify('host'))).log, dropped);
      } else {
        const { log } = await scene.aside(() => scene.scene.backup());
        assert.match(log, dropped);
        assert.equal(await scratchDatabases(), '');
      }
    }
  });

  suite('by binaries', { skip: process.getuid?.() === 0 ? false : 'needs root' }, () => {
    let folder: string;
    let server: ArchiveServer;
    before(async () => {
      folder = await mkdtemp(join(scene.scene.sandbox.folder, 'binaries-'));
      await chmod(folder, 0o755);
      server = await serveArchive(await postgresArchive(scene.scene.sandbox.postgres, folder));
    });
    after(async () => {
      await server?.[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    });

    /** On a runner whose own PostgreSQL is out of sight. */
    const bare = [
      'unshare',
      '--mount',
      'sh',
      '-c',
      'mount -t tmpfs none /usr/lib/postgresql && exec "$@"',
      'sh',
    ];
    const runBare = (url: string, place = 'runner'): Promise<Ended> => {
      const given = [{ 'postgres-binaries-url': url }, { RUNNER_TOOL_CACHE: join(folder, 'cache') }] as const;
      return startProgram(...asked(place, ...given), bare).ended;
    };

    test('there are none: what helps is told', async () => {
      await cannot(runBare(''), /there is no PostgreSQL \d+ or newer on the runner/, /postgres-binaries-url/);
    });

    test('with another checksum are not unpacked', async () => {
      const wrong = `${server.url}#sha256=${'ab'.repeat(32)}`;
      const { log } = await cannot(
        runBare(wrong),
        /has the SHA-256 [0-9a-f]{64}, not (ab){32}: it was not unpacked/,
      );
      assert.ok(log.includes(server.sha256));
      assert.deepEqual(await readdir(folder), ['postgresql.tar.gz']);
    });

    test('that are not there', async () => {
      const url = server.url.replace('postgresql.tar.gz', 'none.tar.gz');
      await cannot(runBare(`${url}#sha256=${server.sha256}`), /none\.tar\.gz cannot be downloaded: .*404/);
    });

    test('are fetched, and the second time are there', async () => {
      const url = `${server.url}#sha256=${server.sha256}`;
      const requests = server.requests;
      for (const round of [1, 2]) {
        const { stdout } = await passes(runBare(url));
        assert.equal(server.requests, requests + 1, `round ${round}`);
        assert.doesNotMatch(stdout, /::debug|\[command\]/);
      }
      const { postgres } = scene.scene.sandbox;
      const { name, password } = postgres.odoo;
      await passes(runBare(url, `postgres://${name}:${password}@127.0.0.1:${postgres.port}/postgres`));
    });

    test('that are no PostgreSQL', async () => {
      const path = join(folder, 'postgresql.tar.gz');
      await using other = await serveArchive(join(import.meta.dirname, '../fixtures/odoo14_standard.zip'));
      await cannot(runBare(`${other.url}#sha256=${other.sha256}`), /cannot be unpacked/);
      assert.ok(await readFile(path));
    });
  });
});
