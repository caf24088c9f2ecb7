import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadDump } from '../../src/postgres/load.ts';
import { LoadError } from '../../src/postgres/load-errors.ts';
import { UserError } from '../../src/util/errors.ts';
import { customDump, ENCODING, type MadeEntry, SEARCH_PATH, STRINGS } from '../support/custom-dump.ts';
import { assertNothingLeft, dumpOf, openLoad } from '../support/load-scene.ts';
import { uniqueName } from '../support/postgres.ts';

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

  test('is forged: no command in it runs, also where its error is explained, and circles come to an end', async () => {
    await using scene = await openLoad();
    const { found, database, options } = scene;
    const witness = join(scene.ssh.tmp, 'witness');
    const of = { name: 't', schema: 'public', owner: 'odoo' };
    const table = {
      ...of,
      id: 10,
      kind: 'TABLE',
      section: 2,
      definition: 'CREATE TABLE public.t (a int);\n',
    };
    const rows = { ...of, id: 11, kind: 'TABLE DATA', section: 3, data: [Buffer.from('1\n')] };
    const copy = 'COPY public.t (a) FROM stdin;\n';
    const index = (id: number, dependsOn: number) => ({
      ...{ ...of, name: `i${id}`, id, kind: 'INDEX', section: 4, dependencies: [dependsOn] },
      definition: `CREATE INDEX i${id} ON public.t (a);\n`,
    });
    const command = `\\! touch ${witness}\n`;
    const forged = [
      [
        { ...table, definition: `SELECT nothing();\n${command}` },
        { ...rows, copy },
      ],
      [table, { ...rows, copy: `${copy}${command}` }],
      [table, { ...rows, copy: `COPY public.t FROM PROGRAM 'touch ${witness}';\n` }],
      [table, { ...rows, copy }, { ...index(12, 11), definition: `SELECT 1/0;\n${command}` }],
    ];
    const load = (entries: readonly MadeEntry[], jobs: number) => {
      const dump = dumpOf('custom', customDump({ entries: [ENCODING, STRINGS, SEARCH_PATH, ...entries] }));
      return loadDump(found.postgres, database, dump, { ...options, jobs });
    };
    for (const jobs of [2, 3]) {
      for (const entries of forged) {
        await assert.rejects(load(entries, jobs), LoadError);
        await scene.sql('DROP TABLE IF EXISTS t', database);
      }
      assert.ok(!existsSync(witness));
      await load([table, { ...rows, copy }, index(12, 13), index(13, 12)], jobs);
      assert.equal(await scene.sql("SELECT count(*) FROM pg_indexes WHERE tablename = 't'", database), '2');
      await scene.sql('DROP TABLE t', database);
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
