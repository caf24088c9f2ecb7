import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { entryAsPlain, type PlainDumpOptions, plainDumpFilter } from '../../src/backup-reader/plain-dump.ts';
import { describeDatabase, eachAttachedFile, type OdooDatabase } from '../../src/odoo/database.ts';
import { analyze } from '../../src/postgres/analyze.ts';
import { createDatabase } from '../../src/postgres/create-database.ts';
import { openDump } from '../../src/postgres/custom-format/open.ts';
import { derivedName } from '../../src/postgres/derived-names.ts';
import { streamDump } from '../../src/postgres/dump.ts';
import { createExtensions, extensionProblems } from '../../src/postgres/extensions/create.ts';
import { type LoadOptions, loadDump } from '../../src/postgres/load.ts';
import { LoadError, withRestoreClient } from '../../src/postgres/load-errors.ts';
import type { Dump } from '../../src/postgres/loadable-dump.ts';
import type { Postgres } from '../../src/postgres/server.ts';
import { Snapshot } from '../../src/postgres/snapshot.ts';
import { UserError } from '../../src/util/errors.ts';
import { assertNothingRuns } from '../support/leftovers.ts';
import { uniqueName } from '../support/postgres.ts';
import { run } from '../support/processes.ts';
import { dropTemplate, openRestoreHost, type RestoreHost, timestamp } from '../support/restore-host.ts';

/** An Odoo host with an empty database beside the one of Odoo. */
async function openLoad(prepare?: (scene: RestoreHost) => Promise<unknown>) {
  await using resources = new AsyncDisposableStack();
  const scene = resources.use(await openRestoreHost());
  await prepare?.(scene);
  const { postgres, tools } = scene.found;
  const database = derivedName(scene.odoo.database, 'new', timestamp);
  await using snapshot = await Snapshot.open(postgres, scene.odoo.database);
  const facts = { ...(await describeDatabase(snapshot)), files: await filesOf(snapshot) };
  const dumped = async (...options: string[]) => buffer(await streamDump(snapshot, options, undefined));
  const dumps = {
    custom: await dumped('--format=custom', '--compress=0'),
    plain: await dumped('--format=plain', '--no-owner'),
  };
  resources.defer(() => dropTemplate(scene, database));
  await createDatabase(postgres, database, 'odoo', facts.traits);
  const options: LoadOptions = { tools, jobs: 2, schemas: [], keepOwnership: true, asPlain: entryAsPlain };
  const kept = resources.move();
  return { ...scene, database, facts, dumps, options, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** The bytes in pieces, as they come from S3; `fault` ends them half-way. */
function dumpOf(kind: 'custom' | 'plain', bytes: Buffer, fault?: () => unknown): Dump {
  const open = async function* () {
    for (let at = 0; at < bytes.length; at += 65536) {
      if (fault && at > bytes.length / 2) await fault();
      yield bytes.subarray(at, at + 65536);
    }
  };
  if (kind === 'custom') return { kind, size: bytes.length, open };
  const filtered = (passage: PlainDumpOptions) =>
    pipeline(Readable.from(open(), { objectMode: false }), plainDumpFilter(kind, passage), () => {});
  return { kind, size: bytes.length, open: filtered };
}

/** Names of the files of attachments. */
async function filesOf(snapshot: Snapshot): Promise<string[]> {
  const names: string[] = [];
  await eachAttachedFile(snapshot, (name) => names.push(name));
  return names.sort();
}

async function factsOf(
  postgres: Postgres,
  database: string,
): Promise<OdooDatabase & { readonly files: string[] }> {
  await using snapshot = await Snapshot.open(postgres, database);
  return { ...(await describeDatabase(snapshot)), files: await filesOf(snapshot) };
}

const withoutTraits = ({
  counts,
  attachments,
  files,
  extensions,
  modules,
  roles,
}: Awaited<ReturnType<typeof factsOf>>) => ({
  counts,
  attachments,
  files,
  extensions,
  modules,
  roles,
});

/** Closes the connection. */
async function assertNothingLeft({ host, ssh, sandbox }: RestoreHost, database: string): Promise<void> {
  await host[Symbol.asyncDispose]();
  await assertNothingRuns(ssh, sandbox.postgres, database);
}

async function assertLoaded(scene: Awaited<ReturnType<typeof openLoad>>): Promise<void> {
  const loaded = await factsOf(scene.found.postgres, scene.database);
  assert.deepEqual(withoutTraits(loaded), withoutTraits(scene.facts));
  await assertNothingLeft(scene, scene.database);
}

suite('a dump', () => {
  for (const [jobs, size, way] of [
    [2, 0, 'arriving'],
    [2, 2 ** 50, 'arriving'],
    [3, 0, 'file'],
    [3, 2 ** 50, 'arriving'],
  ] as const) {
    test(`of custom format, ${jobs} jobs${size ? ', where the host has no space for it' : ''}: ${way}`, async () => {
      await using scene = await openLoad();
      const { found, database, dumps, options } = scene;
      const dump = { ...dumpOf('custom', dumps.custom), ...(size ? { size } : {}) };
      const loaded = await loadDump(found.postgres, database, dump, { ...options, jobs });
      assert.equal(loaded.way, way);
      await analyze(found.postgres, database, 2);
      const query = "SELECT count(*) FROM pg_stats WHERE schemaname = 'public'";
      assert.ok(Number((await scene.sql(query, database)).split('\n')[0]) > 100);
      await assertLoaded(scene);
    });
  }

  test('is read to its end, also where its last rows are left out', async () => {
    await using scene = await openLoad(({ sql }) =>
      sql(`CREATE TABLE zz AS SELECT md5(i::text) AS x FROM generate_series(1, 100000) i;
        ALTER TABLE zz OWNER TO odoo`),
    );
    const { found, database, dumps, options } = scene;
    let isRead = false;
    const dump = dumpOf('custom', dumps.custom);
    assert.ok(dump.kind === 'custom');
    const open = async function* () {
      yield* dump.open();
      isRead = true;
    };
    const opened = await openDump('it', dump.open()[Symbol.asyncIterator]());
    assert.ok(opened.kind === 'known');
    const lines = [...opened.contents.lines()].map(({ line }) => line);
    const without = lines.filter((line) => / TABLE DATA public zz /.test(line));
    const loaded = await loadDump(found.postgres, database, { ...dump, open }, { ...options, without });
    assert.deepEqual(loaded.skipped, without);
    assert.ok(isRead);
  });

  test('of plain SQL, and of pg_dump 17 for an older server', async () => {
    await using scene = await openLoad();
    const { found, database, dumps, options } = scene;
    const newer = Buffer.concat([Buffer.from('SET transaction_timeout = 0;\n'), dumps.plain]);
    await loadDump(found.postgres, database, dumpOf('plain', newer), options);
    await assertLoaded(scene);
  });

  test('of directory format', async () => {
    await using scene = await openLoad();
    const { found, database, options, odoo, sandbox } = scene;
    const folder = await mkdtemp(join(tmpdir(), 'directory-'));
    const connection = ['-h', sandbox.postgres.socket, '-p', String(sandbox.postgres.port), '-U', 'odoo'];
    await run([
      join(sandbox.postgres.bin, 'pg_dump'),
      '-Fd',
      ...connection,
      '-f',
      join(folder, 'd'),
      odoo.database,
    ]);
    const names = await readdir(join(folder, 'd'));
    const files = await Promise.all(
      names.map(async (name) => ({ name, content: await readFile(join(folder, 'd', name)) })),
    );
    await rm(folder, { recursive: true });
    const dump: Dump = {
      kind: 'directory',
      size: files.reduce((sum, { content }) => sum + content.length, 0),
      readFiles: async function* () {
        for (const { name, content } of files) yield { name, size: content.length, content };
      },
    };
    await loadDump(found.postgres, database, dump, options);
    const tooLarge = { ...dump, size: 2 ** 50 };
    await assert.rejects(loadDump(found.postgres, database, tooLarge, options), /There is no room/);
    await assertLoaded(scene);
  });
});

suite('a dump that does not load', () => {
  for (const [kind, way, jobs, size] of [
    ['custom', 'as it arrives', 2, 1000],
    ['custom', 'from a file', 3, 1000],
    ['custom', 'as it arrives for lack of space', 3, 2 ** 50],
    ['plain', 'as it arrives', 2, 1000],
  ] as const) {
    test(`${kind}, ${way}: its source fails half-way`, async () => {
      await using scene = await openLoad();
      const { found, database, dumps, options } = scene;
      const broken = new Error('S3 is gone');
      const dump = dumpOf(kind, dumps[kind], () => Promise.reject(broken));
      await assert.rejects(
        loadDump(found.postgres, database, { ...dump, size }, { ...options, jobs }),
        broken,
      );
      await assertNothingLeft(scene, database);
    });
  }

  test('is cut or overwritten: an error, although pg_restore --list takes it', async () => {
    await using scene = await openLoad();
    const { found, database, dumps, options } = scene;
    const { length } = dumps.custom;
    const middle = Math.floor(length * 0.6);
    const cut = dumps.custom.subarray(0, middle);
    const overwritten = Buffer.from(dumps.custom).fill(0, middle, middle + 65536);
    for (const [bytes, jobs, size] of [
      [cut, 2, length],
      [cut, 3, length],
      [overwritten, 2, length],
      [overwritten, 3, length],
    ] as const) {
      const dump = { ...dumpOf('custom', bytes), size };
      const loading = loadDump(found.postgres, database, dump, { ...options, jobs });
      await assert.rejects(
        loading,
        (error) => error instanceof UserError && /cannot be loaded/.test(error.message),
      );
      await scene.sql(
        'DROP SCHEMA public CASCADE; CREATE SCHEMA public; ALTER SCHEMA public OWNER TO odoo',
        database,
      );
    }
    await assertNothingLeft(scene, database);
  });

  for (const jobs of [2, 3])
    test(`is cancelled, ${jobs} jobs: nothing goes on`, async () => {
      await using scene = await openLoad();
      const { found, database, dumps, options } = scene;
      const cancel = new AbortController();
      const reason = new Error('SIGTERM');
      const dump = dumpOf('custom', dumps.custom, () => {
        cancel.abort(reason);
        return sleep(60_000, undefined, { signal: cancel.signal });
      });
      const loading = loadDump(found.postgres, database, dump, { ...options, jobs, signal: cancel.signal });
      await assert.rejects(loading, reason);
      await assertNothingLeft(scene, database);
    });

  test('fails in rows as they arrive: they are read again as far as that, for the SQLSTATE', async () => {
    await using scene = await openLoad(({ sql }) =>
      sql(`CREATE TABLE aa AS SELECT 123454321 AS n;
        CREATE TABLE zz AS SELECT md5(i::text) AS x FROM generate_series(1, 500000) i;
        ALTER TABLE aa OWNER TO odoo; ALTER TABLE zz OWNER TO odoo`),
    );
    const { found, database, dumps, options } = scene;
    const bytes = Buffer.from(dumps.custom);
    bytes.write('x', bytes.indexOf('123454321'));
    const dump = dumpOf('custom', bytes);
    assert.ok(dump.kind === 'custom');
    const reads: number[] = [];
    const open = async function* () {
      const read = reads.push(0) - 1;
      for await (const chunk of dump.open()) {
        reads[read] = (reads[read] ?? 0) + chunk.length;
        yield chunk;
      }
    };
    await assert.rejects(loadDump(found.postgres, database, { ...dump, open }, options), (error) => {
      assert.ok(error instanceof LoadError, String(error));
      assert.equal(error.problem.sqlState, '22P02');
      assert.match(error.problem.at ?? '', / TABLE DATA public aa /);
      return true;
    });
    const isWhole = reads.map((read) => read === bytes.length);
    assert.deepEqual(isWhole, [false, false, false], reads.join(', ')); // the table of contents, the rows, and again
    await assertNothingLeft(scene, database);
  });

  test('gives something to a role that is not there: the role is named', async () => {
    const role = uniqueName('role');
    await using scene = await openLoad(async ({ sql }) => {
      await sql(`CREATE ROLE ${role}`, 'postgres');
      await sql(`GRANT SELECT ON res_users TO ${role}`);
    });
    const { found, database, dumps, options, facts } = scene;
    assert.ok(facts.roles.includes(role));
    await scene.sql(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    const dump = dumpOf('custom', dumps.custom);
    await assert.rejects(loadDump(found.postgres, database, dump, options), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, /role "role_\w+" does not exist/);
      assert.match(error.hint, /^Create the role/);
      return true;
    });
  });
});

suite('extensions', () => {
  const withExtensions = async ({ sql }: RestoreHost) => {
    await sql(`CREATE EXTENSION unaccent; ALTER FUNCTION unaccent(text) IMMUTABLE;
      CREATE INDEX partner_unaccent ON res_partner (unaccent(name));
      CREATE SCHEMA extra; CREATE EXTENSION pg_trgm SCHEMA extra;
      CREATE EXTENSION pg_stat_statements; COMMENT ON SCHEMA public IS 'ours'`);
  };

  test('are made ahead by the admin role, unaccent IMMUTABLE; what the role may not do is skipped and told', async () => {
    await using scene = await openLoad(withExtensions);
    const { found, database, dumps, options, facts } = scene;
    const app = found.postgres;
    const admin = await app.asRole('admin');
    assert.deepEqual(await extensionProblems(app, admin, facts.extensions), []);
    const asThen = { sameVersions: true, formerOwner: facts.traits.owner, also: new Set<string>() };
    const prepared = await createExtensions(
      { app, admin, database, owner: 'odoo' },
      facts.extensions,
      asThen,
    );
    assert.deepEqual(
      [prepared.schemas, prepared.otherVersions, prepared.unaccentStable],
      [['extra'], [], false],
    );
    const dump = dumpOf('custom', dumps.custom);
    const loaded = await loadDump(app, database, dump, { ...options, schemas: prepared.schemas });
    assert.deepEqual(loaded.skipped.map((line) => line.replace(/^\d+; \d+ \d+ /, '').trim()).sort(), [
      'COMMENT - EXTENSION pg_stat_statements',
      'COMMENT - EXTENSION pg_trgm',
      'COMMENT - EXTENSION unaccent',
      'COMMENT - SCHEMA public pg_database_owner',
      'SCHEMA - extra admin',
    ]);
    assert.equal(
      await scene.sql(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = 'partner_unaccent'::regclass",
        database,
      ),
      't',
    );
    await assertLoaded(scene);
  });

  for (const [jobs, size, way] of [
    [1, 0, 'file'],
    [3, 0, 'file'],
    [1, 2 ** 50, 'arriving'],
  ] as const) {
    test(`rows that others are made from come first, ${jobs} jobs${size ? ', where the host has no space' : ''}: ${way}`, async () => {
      const system = `INSERT INTO spatial_ref_sys (srid, proj4text)
        VALUES (990001, '+proj=tmerc +lat_0=48 +lon_0=11 +k=1 +x_0=0 +y_0=0 +ellps=GRS80 +units=m')`;
      await using scene = await openLoad(({ sql }) =>
        sql(`CREATE EXTENSION postgis; ${system};
          CREATE TABLE a_place (own geometry(Point, 990001),
            moved geometry(Point, 4326) GENERATED ALWAYS AS (ST_Transform(own, 4326)) STORED);
          INSERT INTO a_place SELECT ST_SetSRID(ST_MakePoint(i, i), 990001) FROM generate_series(1, 100) i;
          ALTER TABLE a_place OWNER TO odoo`),
      );
      const { found, database, dumps, options } = scene;
      await scene.sql('CREATE EXTENSION postgis; GRANT INSERT ON spatial_ref_sys TO odoo', database);
      const dump = { ...dumpOf('custom', dumps.custom), ...(size ? { size } : {}) };
      const loaded = await loadDump(found.postgres, database, dump, { ...options, jobs });
      assert.equal(loaded.way, way);
      const facts = 'SELECT md5(string_agg(ST_AsEWKT(moved), chr(10) ORDER BY ST_X(own))) FROM a_place';
      assert.equal(await scene.sql(facts, database), await scene.sql(facts));
      assert.equal(
        await scene.sql('SELECT count(*) FROM spatial_ref_sys WHERE srid = 990001', database),
        '1',
      );
      await assertLoaded(scene);
    });
  }

  test('that neither role may create are told ahead, and an index on unaccent is explained', async () => {
    await using scene = await openLoad(withExtensions);
    const { found, database, dumps, options, facts } = scene;
    const app = found.postgres;
    assert.deepEqual(
      await extensionProblems(app, app, [
        ...facts.extensions,
        { name: 'absent', version: '3', schema: 'public' },
      ]),
      [
        { extension: 'pg_stat_statements', problem: 'admin' },
        { extension: 'absent', problem: 'absent' },
      ],
    );
    await assert.rejects(
      createExtensions({ app, admin: app, database, owner: 'odoo' }, facts.extensions),
      /extension pg_stat_statements cannot be created/,
    );
    const trusted = facts.extensions.filter(({ name }) => name !== 'pg_stat_statements');
    const prepared = await createExtensions({ app, admin: app, database, owner: 'odoo' }, trusted);
    assert.equal(prepared.unaccentStable, true);
    await scene.sql('CREATE EXTENSION pg_stat_statements', database);
    const loading = loadDump(app, database, dumpOf('custom', dumps.custom), {
      ...options,
      jobs: 1, // of several, the messages are mixed
      schemas: ['extra'],
    });
    await assert.rejects(
      loading,
      (error) =>
        error instanceof UserError &&
        /marked IMMUTABLE/.test(error.message) &&
        /db-admin-user/.test(error.hint),
    );
  });
});

suite('pg_restore', () => {
  test('is not older than the pg_dump of the dump', async () => {
    await using scene = await openRestoreHost();
    const { postgres, tools } = scene.found;
    const major = postgres.client.major;
    const clients = [14, major, 16, 18].map((each) => ({ folder: `/bin/${each}`, major: each }));
    const chosen = (dump: number | undefined) =>
      withRestoreClient(postgres, { ...tools, clients }, dump).client.major;
    assert.deepEqual([undefined, 12, major, 16].map(chosen), [major, major, major, 16]);
    assert.throws(() => chosen(17), /pg_restore 18 cannot restore to PostgreSQL 15/);
    assert.throws(() => chosen(19), /too old: the dump was written by pg_dump 19/);
  });
});
