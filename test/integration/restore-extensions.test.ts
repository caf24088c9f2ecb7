import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createExtensions, extensionProblems } from '../../src/postgres/extensions/create.ts';
import { loadDump } from '../../src/postgres/load.ts';
import { UserError } from '../../src/util/errors.ts';
import { assertLoaded, dumpOf, openLoad } from '../support/load-scene.ts';
import type { RestoreHost } from '../support/restore-host.ts';

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
