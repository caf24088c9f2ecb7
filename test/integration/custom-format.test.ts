import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { splitAtRows } from '../../src/postgres/toc-filter.ts';
import { opened, takenApart, withoutKey } from '../support/dump-pieces.ts';
import { createOdoo, type Odoo } from '../support/odoo.ts';
import { createDatabase, dropDatabase, psql, uniqueName } from '../support/postgres.ts';
import { useSandbox } from '../support/sandbox.ts';

const OBJECTS = new URL('../fixtures/custom-format/objects.sql', import.meta.url);
const SPATIAL = `CREATE EXTENSION postgis; CREATE EXTENSION postgis_topology;
  INSERT INTO spatial_ref_sys (srid, auth_name, auth_srid, srtext) VALUES (990001, 'acme', 1, 'LOCAL_CS["a \\ b"]');
  CREATE TABLE place AS SELECT i AS id, ST_SetSRID(ST_MakePoint(i, 1), 4326) AS point FROM generate_series(1, 5000) i;
  CREATE INDEX ON place USING gist (point);`;
/** Roles are the server's: they outlive the databases of these tests. */
const ROLES = `dump_reader, "odd ""role""; é"`;

/** The statements of SQL, without those that each run of pg_restore begins with. */
const statements = (sql: Buffer): string =>
  sql
    .toString('latin1')
    .split('\n')
    .filter((line) => !/^(--|SET |SELECT pg_catalog\.set_config|\\(un)?restrict |$)/.test(line))
    .join('\n');

suite('a dump in custom format, read without pg_restore', () => {
  const { postgres: server } = useSandbox();
  const connection = ['-h', server.socket, '-p', String(server.port), '-U', 'admin'];
  const databases: string[] = [];
  let odoo: Odoo;
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'custom-format-'));
    odoo = await createOdoo(useSandbox(), { fixture: 'full' });
  });
  after(async () => {
    for (const database of databases) {
      await psql(
        server,
        database,
        'ALTER SUBSCRIPTION dump_reader_sub DISABLE; DROP SUBSCRIPTION dump_reader_sub',
      ).catch(
        () => {}, // it has none
      );
      await dropDatabase(server, database);
    }
    await psql(server, 'postgres', `DROP OWNED BY ${ROLES}; DROP ROLE ${ROLES}`).catch(() => {});
    await odoo?.[Symbol.asyncDispose]();
    if (folder) await rm(folder, { recursive: true });
  });

  async function database(make?: string | NodeJS.ReadableStream): Promise<string> {
    const name = uniqueName('dumped');
    await createDatabase(server, name);
    databases.push(name);
    if (make) await psql(server, name, make);
    return name;
  }

  /** What a program prints, which ends well. */
  function printed(program: string, args: readonly string[], input?: Buffer): Buffer {
    const argv = program === 'pg_restore' ? args : [...connection, ...args];
    const { status, stdout, stderr } = spawnSync(join(server.bin, program), argv, {
      input,
      maxBuffer: 2 ** 30,
    });
    assert.equal(status, 0, String(stderr));
    return stdout;
  }

  const sources: readonly [what: string, make: () => Promise<string>][] = [
    ['every kind of object', () => database(createReadStream(OBJECTS))],
    ['PostGIS', () => database(SPATIAL)],
    ['nothing', () => database()],
  ];

  test('an Odoo: the SQL is that of pg_dump', async () => {
    const dump = printed('pg_dump', ['--format=custom', '--compress=0', odoo.database]);
    const plain = printed('pg_dump', ['--format=plain', '--no-owner', odoo.database]);
    assert.ok(withoutKey((await takenApart(dump)).sql) === withoutKey(plain));
  });

  for (const [what, make] of sources) {
    test(`${what}: the SQL is that of pg_restore and of pg_dump, and the dump that comes of it restores alike`, async () => {
      const name = await make();
      for (const options of [
        ['--compress=0'],
        ['--compress=6'],
        ['--compress=0', '--inserts', '--rows-per-insert=50'],
      ]) {
        const dump = printed('pg_dump', ['--format=custom', ...options, name]);
        const { sql } = await takenApart(dump, 65_536);
        assert.ok(
          withoutKey(sql) === withoutKey(printed('pg_restore', ['--no-owner', '--file=-'], dump)),
          options.join(),
        );
        const list = printed('pg_restore', ['--list'], dump)
          .toString('utf8')
          .split('\n')
          .filter((line) => /^\d/.test(line));
        assert.deepEqual(
          [...(await opened(dump)).contents.lines()].map(({ line }) => line),
          list,
        );
      }
      const dump = printed('pg_dump', ['--format=custom', '--compress=0', name]);
      const plain = printed('pg_dump', ['--format=plain', '--no-owner', name]);
      const { sql, dump: again } = await takenApart(dump, 65_536);
      assert.ok(withoutKey(sql) === withoutKey(plain));
      assert.deepEqual(printed('pg_restore', ['--list'], again), printed('pg_restore', ['--list'], dump));

      const { contents, start } = await opened(dump);
      const { upToRows, behind } = splitAtRows([...contents.lines().map(({ line }) => line)].join('\n'));
      const listed = async (list: string, args: readonly string[], input?: Buffer) => {
        const path = join(folder, 'list');
        await writeFile(path, list);
        return statements(printed('pg_restore', ['--file=-', `--use-list=${path}`, ...args], input));
      };
      const head = join(folder, 'head');
      await writeFile(head, start);
      const inTwo = [await listed(upToRows, [], dump), await listed(behind, [head])];
      const atOnce = statements(printed('pg_restore', ['--file=-'], dump));
      assert.equal(inTwo.filter((part) => part !== '').join('\n'), atOnce);

      const restored = async (bytes: Buffer) => {
        const [into, path] = [await database(), join(folder, 'dump')];
        await writeFile(path, bytes);
        const args = [...connection, '--jobs=4', '--no-owner', '-d', into, path];
        const { stderr } = spawnSync(join(server.bin, 'pg_restore'), args);
        // Several sessions make things in no certain order.
        const lines = withoutKey(printed('pg_dump', ['--format=plain', into])).split('\n');
        return { said: String(stderr).split('\n').sort(), holds: lines.sort().join('\n') };
      };
      const [found, expected] = [await restored(again), await restored(dump)];
      assert.deepEqual(found.said, expected.said);
      assert.ok(found.holds === expected.holds);
    });
  }
});
