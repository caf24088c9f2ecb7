import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { crc32 } from 'node:zlib';
import { member, members, restoreCustom, restoreSql, sqlOf } from '../support/backup-check.ts';
import { type Made, Scene } from '../support/backup-run.ts';
import { archive as fixture } from '../support/odoo.ts';
import { createDatabase, dropDatabase, psql, uniqueName } from '../support/postgres.ts';
import { descendants, run } from '../support/processes.ts';

/** One backup as most people make it, looked at from all sides. */
suite('a backup', () => {
  let scene: Scene;
  let made: Made;
  const commandLines = new Set<string>();

  before(async () => {
    scene = await Scene.open({ login: 'password', fixture: 'full' });
    const running = scene.start();
    while (running.child.exitCode === null) {
      const pids = [running.child.pid ?? 0, ...(await descendants(scene.ssh.pid))];
      for (const pid of pids) {
        const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''); // ended meanwhile
        commandLines.add(line);
      }
    }
    made = await scene.made(await running.ended);
  });
  after(() => scene?.[Symbol.asyncDispose]());

  test('is a zip for everybody', async () => {
    const script =
      'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); print(z.testzip(), len(z.namelist()))';
    assert.equal(
      await run(['python3', '-c', script, made.path]),
      `None ${made.receipt.directory?.entries}\n`,
    );
    assert.match(await run(['unzip', '-tq', made.path]), /^No errors detected/);
    assert.match(await run(['7z', 't', made.path]), /Everything is Ok/);
  });

  test('holds these members, and no others', async () => {
    const names = await members(made.path);
    const stem = made.receipt.key.replace(/^.*\/|\.zip$/g, '');
    assert.deepEqual(names.slice(0, 3), [`${stem}.dump`, 'dump.sql', 'manifest.json']);
    assert.equal(names.at(-1), 'backup.json');
    const files = names.slice(3, -1);
    assert.equal(files.length, made.receipt.filestore?.files);
    for (const name of files) assert.match(name, /^filestore\/([0-9a-f]{2})\/\1[0-9a-f]{38}$/);
    assert.equal(new Set(names).size, names.length);
  });

  test('restores as Odoo restores it, and by pg_restore', async () => {
    const { postgres } = scene.sandbox;
    const [asOdoo, byTool] = [uniqueName('restored'), uniqueName('restored')];
    for (const name of [asOdoo, byTool]) await createDatabase(postgres, name);
    try {
      const dump = await member(made.path, '*.dump');
      await Promise.all([restoreSql(postgres, made.path, asOdoo), restoreCustom(postgres, dump, byTool)]);
      const source = await sqlOf(postgres, scene.odoo.database);
      assert.ok(source.length > 8_000_000);
      assert.ok((await sqlOf(postgres, asOdoo)) === source, 'dump.sql restores to something else');
      assert.ok((await sqlOf(postgres, byTool)) === source, 'the .dump restores to something else');
    } finally {
      for (const name of [asOdoo, byTool]) await dropDatabase(postgres, name);
    }
    const folder = join(scene.folder, 'extracted');
    await run(['unzip', '-q', made.path, 'filestore/*', '-d', folder]);
    await run(['diff', '-r', '--exclude=checklist', join(folder, 'filestore'), scene.odoo.filestore]);
  });

  test('has the manifest that Odoo wrote', async () => {
    const own = JSON.parse((await member(fixture, 'manifest.json')).toString());
    const ours = JSON.parse((await member(made.path, 'manifest.json')).toString());
    assert.deepEqual(ours, { ...own, db_name: scene.odoo.database, pg_version: '15.0' });
    assert.deepEqual(Object.keys(ours), Object.keys(own));
  });

  test('tells in backup.json what a restore needs', async () => {
    const description = JSON.parse((await member(made.path, 'backup.json')).toString());
    const { database } = scene.odoo;
    const count = async (sql: string) => Number(await psql(scene.sandbox.postgres, database, sql));
    assert.equal(description.database, database);
    assert.equal(description.odooVersion, '14.0');
    assert.equal(description.startedAt, made.receipt.startedAt);
    assert.deepEqual(description.filestore, {
      files: 205,
      bytes: made.receipt.filestore?.bytes,
      missing: [],
      lost: [],
      corrupt: [],
      skipped: [],
    });
    assert.equal(description.attachments.files, 203);
    assert.equal(
      description.attachments.inDatabase,
      await count('SELECT count(db_datas) FROM ir_attachment WHERE store_fname IS NULL'),
    );
    assert.deepEqual(description.counts, made.receipt.counts);
    const tables = Object.entries(made.receipt.counts);
    const same = tables.map(([table, rows]) => `(SELECT count(*) FROM ${table}) = ${rows}`).join(' AND ');
    assert.equal(await psql(scene.sandbox.postgres, database, `SELECT ${same}`), 't');
    assert.ok(tables.length >= 20);
    assert.deepEqual(description.postgres, {
      server: made.receipt.postgres.server,
      pgDump: Number(made.receipt.postgres.client),
      owner: 'odoo',
      encoding: 'UTF8',
      collate: 'C.UTF-8',
      ctype: 'C.UTF-8',
      localeProvider: 'libc',
      locale: null,
      privileges: [],
      settings: [],
      connectionLimit: null,
    });
  });

  test('is what its receipt says: segments without a gap, units with their own sums', () => {
    const { receipt, object } = made;
    let end = 0;
    for (const { offset, length, units } of receipt.segments) {
      assert.equal(offset, end);
      for (const unit of units) {
        assert.equal(unit.offset, end);
        const bytes = object.subarray(unit.offset, unit.offset + unit.length);
        assert.equal(createHash('md5').update(bytes).digest('hex'), unit.md5);
        assert.equal(crc32(bytes), unit.crc32);
        end += unit.length;
      }
      assert.equal(offset + length, end);
    }
    const { directory } = receipt;
    assert.ok(directory);
    assert.equal(directory.offset, end);
    assert.equal(directory.offset + directory.length, object.length);
    assert.equal(createHash('md5').update(object.subarray(end)).digest('hex'), directory.md5);
    assert.equal(receipt.size, object.length);
    assert.deepEqual(
      receipt.segments.map(({ kind, entries }) => [kind, entries]),
      [
        ['database', 1],
        ['database', 2],
        ['filestore', 205],
        ['description', 1],
      ],
    );
  });

  test('has a receipt that says who, what, where and how long', () => {
    const { receipt } = made;
    assert.equal(receipt.bucket, scene.bucket);
    assert.equal(receipt.database, scene.odoo.database);
    assert.equal(receipt.customer, 'acme');
    assert.equal(receipt.format, 'dual');
    assert.deepEqual(receipt.odoo, { version: '14.0', modules: 59 });
    assert.deepEqual(
      receipt.proofs.map(({ level }) => level),
      ['upload'],
    );
    assert.deepEqual(receipt.run, { platform: 'terminal' });
    assert.ok(Date.parse(receipt.startedAt) < Date.parse(receipt.finishedAt));
    const phases = ['s3', 'connect', 'host', 'snapshot', 'base', 'transfer', 'verify'];
    assert.deepEqual(Object.keys(receipt.durations), phases);
    const stamp = receipt.startedAt.slice(0, 19).replace('T', '_').replaceAll(':', '-');
    assert.equal(receipt.key, `acme/backups/${scene.odoo.database}_${stamp}.zip`);
  });

  test('hands its results on', () => {
    const { outputs, receipt } = made;
    const { json = '', duration, ...rest } = outputs;
    const short: Partial<typeof receipt> = { ...receipt, segments: undefined };
    assert.deepEqual(JSON.parse(json), JSON.parse(JSON.stringify(short)));
    assert.ok(Number(duration) > 0);
    assert.deepEqual(rest, {
      key: receipt.key,
      uri: `s3://${scene.bucket}/${receipt.key}`,
      receipt: receipt.key.replace(/zip$/, 'json'),
      size: String(made.object.length),
      database: scene.odoo.database,
      'odoo-version': '14.0',
      verified: 'upload',
      'missing-files': '0',
      'bytes-sent': String(made.object.length),
    });
  });

  test('tells its story in the log', () => {
    const titles = made.log.split('\n').filter((line) => /^[A-Z]/.test(line));
    const story = [
      /^Check the bucket: s3:/,
      /^Connect to \S+@127/,
      /^Odoo on/,
      /^Snapshot of/,
      /^What S3 has already/,
      /^Transfer to s3:/,
      /^Verify s3:/,
    ];
    for (const [index, title] of story.entries()) assert.match(titles[index] ?? '', title);
    for (const line of [
      /^ {2}Dump for pg_restore/m,
      /^ {2}Dump for Odoo/m,
      /^ {2}Filestore: 205 files, 1\.9 MiB$/m,
      /^ {2}dump: \S+ \w+ in /m,
      /^ {2}filestore: 1\.9 MiB in /m,
    ]) {
      assert.match(made.log, line);
    }
    assert.match(made.log, /✅ \S+ is backed up\n/);
    assert.match(made.log, /Odoo 14\.0 with 59 modules, PostgreSQL 15\.\d+\n/);
  });

  test('names itself in the object’s metadata', () => {
    assert.equal(made.head.ContentType, 'application/zip');
    assert.deepEqual(made.head.Metadata, {
      database: scene.odoo.database,
      'odoo-version': '14.0',
      format: 'dual',
    });
  });

  test('shows no secret to anybody', async () => {
    const { keys, postgres, s3 } = scene.sandbox;
    const key = (await readFile(keys.plain, 'utf8')).split('\n')[1] ?? '';
    const secrets = [postgres.odoo.password, key, s3.secretAccessKey];
    const description = (await member(made.path, 'backup.json')).toString();
    const seen = [made.log, made.stdout, JSON.stringify(made.receipt), description, ...commandLines];
    for (const secret of secrets) {
      assert.ok(secret.length > 10);
      for (const text of seen) assert.ok(!text.includes(secret), text);
    }
    // Those that were to be caught were: the dump, and the session that holds the snapshot.
    for (const program of [/bin\/pg_dump\0--format=custom/, /bin\/psql\0/]) {
      assert.ok(
        [...commandLines].some((line) => program.test(line)),
        String(program),
      );
    }
  });
});
