import { object, oneOf } from '../util/decode.ts';
import { formatNames } from '../util/format.ts';
import { decodeFunction, type KnownNames, unqualifiedUses } from './function-names.ts';
import { catalogName, longText } from './rows.ts';
import type { Snapshot } from './snapshot.ts';
import { type Sql, sql } from './sql.ts';

/** More of a kind are counted and not named. */
const MOST_NAMED = 10;

/**
 * What will keep a dump of this database from being loaded by the role that owns it, as far as PostgreSQL's own tables
 * say: the definitions are read as text, and nothing of the owner's is evaluated.
 *
 * @returns sentences for people
 */
export async function restoreObstacles(snapshot: Snapshot): Promise<string[]> {
  const [objects, functions, known] = await Promise.all([
    snapshot.rows(object({ name: longText }), SUPERUSERS_OBJECTS),
    snapshot.rows(decodeFunction, FUNCTIONS),
    snapshot.rows(object({ kind: oneOf('functions', 'relations', 'types'), name: catalogName }), KNOWN_NAMES),
  ]);
  const names = (kind: keyof KnownNames) =>
    new Set(known.flatMap((each) => (each.kind === kind ? [each.name] : [])));
  const uses = unqualifiedUses(functions, {
    functions: names('functions'),
    relations: names('relations'),
    types: names('types'),
  });
  return [
    ...(objects.length > 0
      ? [`it contains objects that only a superuser can create: ${listed(objects.map(({ name }) => name))}`]
      : []),
    ...(uses.length > 0
      ? [
          `a restore does not find names without a schema: ${listed(uses.map(({ user, name }) => `${name} in ${user}`))}`,
        ]
      : []),
  ];
}

const listed = (names: readonly string[]): string => formatNames(names, MOST_NAMED);

/** Condition: the object of a catalog is no member of an extension, which brings what it has. */
const own = (catalog: Sql, oid: Sql): Sql =>
  sql`NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = ${catalog} AND x.objid = ${oid} AND x.deptype = 'e')`;

/** An owner that is a superuser loads all of it. */
const SUPERUSERS_OBJECTS = sql`SELECT kind || ' ' || name AS name FROM (
    SELECT 'EVENT TRIGGER' AS kind, evtname::text AS name FROM pg_event_trigger e
     WHERE ${own(sql`'pg_event_trigger'::regclass`, sql`e.oid`)}
    UNION ALL SELECT 'PUBLICATION', pubname::text FROM pg_publication WHERE puballtables
    UNION ALL SELECT 'FOREIGN DATA WRAPPER', fdwname::text FROM pg_foreign_data_wrapper w
     WHERE ${own(sql`'pg_foreign_data_wrapper'::regclass`, sql`w.oid`)}
    UNION ALL SELECT 'SERVER', srvname::text FROM pg_foreign_server s
     WHERE ${own(sql`'pg_foreign_server'::regclass`, sql`s.oid`)}
    UNION ALL SELECT 'FUNCTION', p.oid::regprocedure::text FROM pg_proc p JOIN pg_language l ON l.oid = prolang
     WHERE NOT lanpltrusted AND p.oid >= 16384 AND ${own(sql`'pg_proc'::regclass`, sql`p.oid`)}) objects
  WHERE (SELECT NOT rolsuper FROM pg_roles r, pg_database d WHERE r.oid = datdba AND datname = current_database())
  ORDER BY 1`;

/**
 * Functions of this database in a language whose text names things, and whether what is built while a dump is loaded
 * calls them: an index, a generated column, a CHECK, a materialized view (or a view that it looks at).
 */
const FUNCTIONS = sql`WITH RECURSIVE looked_at AS (
    SELECT oid FROM pg_class WHERE relkind = 'm'
    UNION SELECT d.refobjid FROM looked_at JOIN pg_rewrite w ON w.ev_class = looked_at.oid
      JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
       AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> looked_at.oid),
  used AS (
    SELECT d.refobjid AS oid FROM pg_depend d
     WHERE d.refclassid = 'pg_proc'::regclass AND (
       d.classid = 'pg_class'::regclass AND EXISTS (SELECT FROM pg_class c WHERE c.oid = d.objid AND c.relkind IN ('i', 'I'))
       OR d.classid = 'pg_constraint'::regclass
       OR d.classid = 'pg_attrdef'::regclass AND EXISTS (SELECT FROM pg_attrdef f JOIN pg_attribute a
            ON a.attrelid = f.adrelid AND a.attnum = f.adnum WHERE f.oid = d.objid AND a.attgenerated <> '')
       OR d.classid = 'pg_rewrite'::regclass AND EXISTS (SELECT FROM pg_rewrite w JOIN looked_at ON looked_at.oid = w.ev_class
            WHERE w.oid = d.objid)))
  SELECT p.oid::regprocedure::text AS signature, proname::text AS name, left(prosrc, 100000) AS source,
         coalesce(EXISTS (SELECT FROM unnest(proconfig) c WHERE c ~ '^search_path='), false) AS "hasPath",
         EXISTS (SELECT FROM used WHERE used.oid = p.oid) AS used
    FROM pg_proc p JOIN pg_language l ON l.oid = prolang JOIN pg_namespace n ON n.oid = pronamespace
   WHERE lanname IN ('sql', 'plpgsql') AND nspname <> 'information_schema' AND nspname !~ '^pg_'
     AND ${own(sql`'pg_proc'::regclass`, sql`p.oid`)}`;

/** Names that are found in a schema other than pg_catalog alone. */
const KNOWN_NAMES = sql`SELECT DISTINCT kind, name FROM (
    SELECT 'functions' AS kind, proname::text AS name, pronamespace AS schema FROM pg_proc p
     WHERE NOT EXISTS (SELECT FROM pg_proc b WHERE b.proname = p.proname AND b.pronamespace = 'pg_catalog'::regnamespace)
    UNION ALL SELECT 'relations', relname::text, relnamespace FROM pg_class c WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    UNION ALL SELECT 'types', typname::text, typnamespace FROM pg_type t WHERE typtype IN ('d', 'e', 'c', 'b')) names
  JOIN pg_namespace n ON n.oid = schema WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'`;
