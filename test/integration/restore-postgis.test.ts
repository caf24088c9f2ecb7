import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { receiptKey } from '../../src/catalog/keys.ts';
import { CopyScene } from '../support/copy-scene.ts';
import { holdLock } from '../support/hold-lock.ts';
import { createRole, type OwnRole } from '../support/roles.ts';

/**
 * Places with geometry columns and their spatial indexes, and what extensions keep of the user's own. One column is
 * made from a reference system while rows are loaded: a plain dump, loaded in its own order, can do that since the
 * table's name comes after spatial_ref_sys.
 */
const SPATIAL = `CREATE EXTENSION postgis; CREATE EXTENSION postgis_topology;
  CREATE EXTENSION postgis_tiger_geocoder CASCADE; CREATE EXTENSION address_standardizer_data_us;
  INSERT INTO spatial_ref_sys (srid, auth_name, auth_srid, srtext, proj4text) VALUES
    (990001, 'acme', 1, 'LOCAL_CS["field \\ one"]', '+proj=tmerc +lat_0=48 +lon_0=11 +k=1 +x_0=0 +y_0=0 +ellps=GRS80 +units=m'),
    (990002, 'acme', 2, NULL, '+proj=longlat +datum=WGS84');
  CREATE TABLE zone_place (id serial PRIMARY KEY, name text,
    point geometry(PointZM, 4326), area geometry(Polygon, 990001), track geography(LineString, 4326),
    moved geometry(Polygon, 4326) GENERATED ALWAYS AS (ST_Transform(area, 4326)) STORED);
  INSERT INTO zone_place (name, point, area, track)
    SELECT 'place ' || i, ST_SetSRID(ST_MakePoint(i / 7.0 - 70, i / 13.0, i, 0.1 * i), 4326),
           ST_Buffer(ST_SetSRID(ST_MakePoint(i, 2 * i), 990001), 10 + i / 3.0),
           ST_SetSRID(ST_MakeLine(ST_MakePoint(i / 10.0, 1), ST_MakePoint(i / 10.0, 2)), 4326)::geography
      FROM generate_series(1, 500) i;
  INSERT INTO zone_place (name, point) VALUES ('empty', 'SRID=4326;POINT ZM EMPTY'), ('none', NULL);
  CREATE INDEX zone_place_point ON zone_place USING gist (point);
  CREATE INDEX zone_place_area ON zone_place USING gist (area) WHERE area IS NOT NULL;
  CREATE INDEX zone_place_moved ON zone_place USING gist (ST_Transform(area, 4326));
  CREATE INDEX zone_place_track ON zone_place USING brin (point);
  CREATE VIEW zone_large AS SELECT id FROM zone_place WHERE ST_Area(area) > 5000;
  INSERT INTO topology.topology (name, srid, precision) VALUES ('city', 990001, 0.5);
  INSERT INTO topology.layer VALUES (1, 1, 'public', 'zone_place', 'area', 3, 0, NULL);
  INSERT INTO topology.topology (name, srid, precision) SELECT 'tried ' || i, 0, 0 FROM generate_series(1, 6) i;
  DELETE FROM topology.topology WHERE name LIKE 'tried%';
  INSERT INTO us_lex (seq, word, stdword, token, is_custom) VALUES (1, 'ALLEYWAY', 'ALLEY', 2, true);
  INSERT INTO tiger.geocode_settings (name, setting) VALUES ('use_pagc_address_parser', 'true');`;

/** Privileges that a person has given on what is an extension's, or taken away. */
const privileges = (role: string): string => `
  GRANT USAGE ON SCHEMA tiger, tiger_data, topology TO "${role}";
  GRANT SELECT ON spatial_ref_sys, tiger.county TO "${role}";
  GRANT SELECT (table_name), REFERENCES ON topology.layer TO "${role}" WITH GRANT OPTION;
  GRANT USAGE ON SEQUENCE tiger.county_gid_seq TO "${role}";
  GRANT USAGE ON TYPE topology.topogeometry TO "${role}";
  REVOKE EXECUTE ON FUNCTION postgis_full_version() FROM PUBLIC;
  GRANT EXECUTE ON FUNCTION postgis_full_version(), st_area(geometry), soundex(text) TO "${role}";
  REVOKE SELECT ON geography_columns FROM PUBLIC`;

/** Who may do what with all of that, and with the schemas, one privilege a line; and the database's settings. */
const GRANTED = `WITH object AS (
    SELECT tableoid, oid, 0 AS part, relowner AS owner,
           coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner)) AS acl FROM pg_class
    UNION ALL SELECT 'pg_class'::regclass, attrelid, attnum, NULL, attacl FROM pg_attribute WHERE attnum > 0
    UNION ALL SELECT tableoid, oid, 0, proowner, coalesce(proacl, acldefault('f', proowner)) FROM pg_proc
    UNION ALL SELECT tableoid, oid, 0, typowner, coalesce(typacl, acldefault('T', typowner)) FROM pg_type
    UNION ALL SELECT tableoid, oid, 0, nspowner, coalesce(nspacl, acldefault('n', nspowner)) FROM pg_namespace
  )
  SELECT identity, pg_get_userbyid(owner), grantee::regrole, privilege_type, is_grantable
    FROM object, aclexplode(acl), pg_identify_object(tableoid, oid, part)
   WHERE oid IN (SELECT objid FROM pg_depend WHERE deptype = 'e') OR type = 'schema' AND identity !~ '^pg_'
  UNION ALL SELECT 'setting', NULL, setrole, array_to_string(setconfig, ' '), NULL FROM pg_db_role_setting
   WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
  ORDER BY 1, 3, 4, 5`;

/** What a role may do with the tables, sequences and schemas of extensions, by whatever right. */
const usable = (role: string): string => `SELECT identity, privilege
    FROM pg_depend, pg_identify_object(classid, objid, 0), unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) privilege
   WHERE deptype = 'e' AND type IN ('table', 'view') AND has_table_privilege('${role}', objid, privilege)
  UNION ALL SELECT identity, privilege
    FROM pg_depend, pg_identify_object(classid, objid, 0), unnest('{SELECT,USAGE,UPDATE}'::text[]) privilege
   WHERE deptype = 'e' AND type = 'sequence' AND has_sequence_privilege('${role}', objid, privilege)
  UNION ALL SELECT nspname, 'USAGE' FROM pg_namespace
   WHERE nspname IN ('tiger', 'topology') AND has_schema_privilege('${role}', oid, 'USAGE')`;

/** What has to be the same afterwards; the rows by way of what PostGIS itself makes of their bytes. */
const FACTS = `SELECT 'place', id::text, name, encode(ST_AsEWKB(point), 'hex'), encode(ST_AsEWKB(area), 'hex'),
         encode(ST_AsEWKB(track::geometry), 'hex') FROM zone_place
   UNION ALL SELECT 'system', srid::text, auth_name, auth_srid::text, srtext, proj4text FROM spatial_ref_sys WHERE srid > 900000
   UNION ALL SELECT 'topology', id::text, name, srid::text, precision::text, hasz::text FROM topology.topology
   UNION ALL SELECT 'layer', layer_id::text, schema_name, table_name, feature_column, feature_type::text FROM topology.layer
   UNION ALL SELECT 'index', c.relname, pg_get_indexdef(c.oid), am.amname, indisvalid::text, indisready::text
     FROM pg_index JOIN pg_class c ON c.oid = indexrelid JOIN pg_am am ON am.oid = relam
    WHERE indrelid = 'zone_place'::regclass
   UNION ALL SELECT 'column', f_table_name, f_geometry_column, coord_dimension::text, srid::text, type FROM geometry_columns
   UNION ALL SELECT 'extension', extname, extversion, nspname, NULL, NULL
     FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace
   UNION ALL SELECT 'word', id::text, word, stdword, NULL, NULL FROM us_lex WHERE is_custom
   UNION ALL SELECT 'setting', name, setting, NULL, NULL, NULL FROM tiger.geocode_settings
   UNION ALL SELECT 'sequence', 'topology', last_value::text, is_called::text, NULL, NULL FROM topology.topology_id_seq
   UNION ALL SELECT 'sequence', 'us_lex', last_value::text, is_called::text, NULL, NULL FROM us_lex_id_seq
   UNION ALL SELECT 'sequence', 'county', last_value::text, is_called::text, NULL, NULL FROM tiger.county_gid_seq
   UNION ALL SELECT 'all systems', count(*)::text, NULL, NULL, NULL, NULL FROM spatial_ref_sys
   ORDER BY 1, 2, 3, 4, 5, 6`;

/** What a bad deploy does to them. */
const DAMAGE = `UPDATE zone_place SET area = ST_Buffer(area, 1); DROP INDEX zone_place_point;
  DELETE FROM zone_place WHERE id > 400; DELETE FROM spatial_ref_sys WHERE srid = 990002;
  UPDATE topology.topology SET precision = 7; SELECT setval('topology.topology_id_seq', 100);
  DELETE FROM us_lex WHERE is_custom; TRUNCATE tiger.geocode_settings`;

/** A search that only a spatial index can answer. */
const SEARCH = `SET enable_seqscan = off; SET enable_bitmapscan = off; EXPLAIN (COSTS off)
  SELECT id FROM zone_place WHERE point && ST_MakeEnvelope(-70, 0, -60, 5, 4326)`;

/** Lines that only one of them has. */
function differences(found: string, expected: string): string[] {
  const [is, was] = [new Set(found.split('\n')), new Set(expected.split('\n'))];
  const added = [...is].filter((line) => !was.has(line));
  const lost = [...was].filter((line) => !is.has(line));
  return [...added.map((line) => `added ${line}`), ...lost.map((line) => `lost ${line}`)];
}

suite('an Odoo with PostGIS', { concurrency: false }, () => {
  let scene: CopyScene;
  /** The role of Odoo on a strict host: no CREATEDB, no superuser, member of nothing. */
  let strict: OwnRole;
  /** Neither Odoo nor an admin. */
  let reader: OwnRole;
  let resources: AsyncDisposableStack;
  let then: string;
  before(async () => {
    await using opened = new AsyncDisposableStack();
    scene = await CopyScene.open();
    strict = opened.use(await createRole(scene.odoo.scene.sandbox, 'strict'));
    reader = opened.use(await createRole(scene.odoo.scene.sandbox, 'reader'));
    opened.use(scene);
    await scene.sql(SPATIAL);
    await scene.sql(owned('odoo'));
    await scene.sql(privileges(reader.name));
    then = await scene.sql(FACTS);
    assert.match(then, /^index\|zone_place_moved\|.*USING gist \(st_transform/m);
    resources = opened.move();
  });
  after(() => resources?.disposeAsync());

  /** Gives the role everything that is not the extensions', and what it needs to use and to dump those. */
  const owned = (role: string): string => `DO $$ DECLARE one record; BEGIN
      FOR one IN SELECT c.oid::regclass AS name FROM pg_class c
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'm', 'S')
          AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = c.oid AND classid = 'pg_class'::regclass AND deptype IN ('a', 'e', 'i'))
      LOOP EXECUTE format('ALTER TABLE %s OWNER TO "${role}"', one.name); END LOOP; END $$;
    GRANT USAGE ON SCHEMA topology, tiger TO "${role}";
    GRANT SELECT ON us_lex, us_gaz, us_rules TO "${role}"; GRANT DELETE ON topology.topology TO "${role}";
    GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA topology TO "${role}";
    GRANT ALL ON ALL SEQUENCES IN SCHEMA topology TO "${role}"`;
  const asStrict = () => ({ 'db-user': strict.name, 'db-admin-user': 'admin' });
  const rights = (database?: string) =>
    scene.sql(
      `SELECT relname, pg_get_userbyid(relowner) FROM pg_class WHERE relname IN ('zone_place', 'zone_large', 'res_partner')
        UNION SELECT 'database', pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database() ORDER BY 1`,
      database,
    );

  /** A deploy, a dry run that shows it and changes nothing, and a rollback that puts everything back. */
  async function assertRolledBack(inputs: Readonly<Record<string, string>>): Promise<void> {
    const { odoo } = scene;
    const owners = await rights();
    const granted = await scene.sql(GRANTED);
    await scene.sql(DAMAGE);
    await odoo.change();
    assert.notEqual(await scene.sql(FACTS), then);
    await using blocking = new AsyncDisposableStack();
    blocking.use(await holdLock(odoo.scene.sandbox.postgres, odoo.database, 'LOCK TABLE zone_place'));
    const { log: plan } = await odoo.succeeds('rollback', { ...inputs, 'dry-run': 'true' });
    assert.match(plan, /^.*admin \(psql\)/m, 'who is connected');
    assert.match(plan, /with the extensions .*postgis, .*postgis_topology/);
    const { log } = await odoo.succeeds('rollback', inputs);
    assert.match(log, /\/web\/login answers 200/);
    assert.equal(await scene.sql(FACTS), then);
    assert.equal(await rights(), owners);
    assert.deepEqual(differences(await scene.sql(GRANTED), granted), []);
    assert.match(await scene.sql(SEARCH), /Index Scan using zone_place_point/);
  }

  test('option B: a role that may create databases is told that PostGIS takes more, and nothing is touched', async () => {
    await scene.odoo.succeeds('backup');
    const words = [
      /The role odoo is not allowed to create the extension postgis$/m,
      /The role odoo is not allowed to create the extension postgis_topology$/m,
      /Name a superuser in db-admin-user/,
      /Nothing was changed/,
    ];
    await scene.refuses([{ command: 'rollback', words }, { words }]);
  });

  test('option B: rolled back with an admin, everything is as it was', async () => {
    await assertRolledBack({ 'db-admin-user': 'admin' });
  });

  test('option B: a role that is a superuser, as in the image of PostGIS, needs no other', async () => {
    await assertRolledBack({ 'db-user': 'admin' });
  });

  test('option A: the strict role is told what it may not, and nothing is touched', async () => {
    await scene.sql(`${owned(strict.name)}; GRANT "${strict.name}" TO odoo;
      ALTER DATABASE "${scene.odoo.database}" OWNER TO "${strict.name}"`);
    await scene.odoo.succeeds('backup', { 'db-user': strict.name });
    const words = [
      new RegExp(`${strict.name} may not create databases: ALTER ROLE "${strict.name}" CREATEDB`),
      new RegExp(`The role ${strict.name} is not allowed to create the extension postgis$`, 'm'),
      /Nothing was changed/,
    ];
    await scene.refuses([{ command: 'rollback', inputs: { 'db-user': strict.name }, words }]);
  });

  test('option A: rolled back by the strict role and an admin, also from a backup of what that has left', async () => {
    await assertRolledBack(asStrict());
    await scene.odoo.succeeds('backup', { 'db-user': strict.name, format: 'odoo' });
    await assertRolledBack(asStrict());
  });

  for (const format of ['odoo', 'directory'] as const) {
    test(`option A: restored as a copy, from format ${format}`, async () => {
      const { outputs } = await scene.odoo.succeeds('backup', {
        format,
        'db-user': strict.name,
      });
      const { log } = await scene.restore(`copy_${format}`, { ...asStrict(), backup: outputs.key });
      const copy = scene.named(`copy_${format}`);
      assert.match(log, new RegExp(`everything belongs to ${strict.name}`));
      assert.equal(await scene.sql(FACTS, copy), then);
      assert.equal(await rights(copy), await rights());
      assert.deepEqual(
        differences(await scene.sql(usable(strict.name), copy), await scene.sql(usable(strict.name))),
        [],
      );
      assert.match(await scene.sql(SEARCH, copy), /Index Scan using zone_place_point/);
    });
  }

  test('is proven by a restore: on the runner, on the host by the strict role, on a server by its URL', async () => {
    const { outputs } = await scene.odoo.succeeds('backup', { 'db-user': strict.name });
    const { admin, port } = scene.odoo.scene.sandbox.postgres;
    const places = [
      'runner',
      'host',
      `postgres://${admin.name}:${admin.password}@127.0.0.1:${port}/postgres`,
    ];
    for (const place of places) {
      const inputs = { verify: 'restore', backup: outputs.key, ...asStrict() };
      const env = { ODOO_BACKUP_RESTORE_TEST: place };
      const { exitCode, log } = await scene.odoo.run('verify', inputs, env);
      assert.equal(exitCode, 0, log);
      assert.match(log, /Extensions: .*postgis 3\.\d+\.\d+, .*postgis_topology 3/);
    }
    const { proofs } = await scene.odoo.receipt(receiptKey(outputs.key ?? ''));
    assert.deepEqual(proofs.map(({ level, failure }) => failure ?? level).slice(-1), ['restore']);
  });
});
