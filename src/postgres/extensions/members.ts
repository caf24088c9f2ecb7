import { ask } from '../run-sql.ts';
import type { Postgres } from '../server.ts';
import { sql } from '../sql.ts';

/** Something that belongs to an extension, and that may be granted. */
export interface ExtensionMember {
  /** As `pg_restore --list` names it, behind ACL: `public TABLE spatial_ref_sys`. */
  readonly entry: string;
  /** As GRANT names it in a plain dump: `TABLE public.spatial_ref_sys`. */
  readonly object: string;
}

/** What belongs to the extensions of a database, apart from what every database has. */
export async function extensionMembers(postgres: Postgres, database: string): Promise<ExtensionMember[]> {
  // Types of arguments are named with their schemas, as pg_dump names them.
  const query = sql`SELECT json_build_object('entry', concat_ws(' ', coalesce(nspname, '-'), kind, name),
      'object', kind || ' ' || coalesce(quote_ident(nspname) || '.', '') || name)
    FROM (${MEMBERS}) m`;
  const lines = await ask(postgres, database, query);
  return lines.map((line) => JSON.parse(line) as ExtensionMember);
}

/** In the words of pg_dump's dumpACL: without a schema, the name of none stands for it. */
const MEMBERS = sql`WITH member AS (
    SELECT classid, objid FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
      AND refobjid <> (SELECT oid FROM pg_extension WHERE extname = 'plpgsql')
  )
  SELECT nspname, CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind, quote_ident(relname) AS name
    FROM member JOIN pg_class c ON c.oid = objid JOIN pg_namespace n ON n.oid = relnamespace
   WHERE classid = 'pg_class'::regclass
  UNION ALL SELECT nspname, CASE prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END, quote_ident(proname) || '('
         || CASE WHEN prokind = 'a' AND pronargs = 0 THEN '*' ELSE pg_get_function_identity_arguments(p.oid) END || ')'
    FROM member JOIN pg_proc p ON p.oid = objid JOIN pg_namespace n ON n.oid = pronamespace
   WHERE classid = 'pg_proc'::regclass
  UNION ALL SELECT nspname, 'TYPE', quote_ident(typname)
    FROM member JOIN pg_type t ON t.oid = objid JOIN pg_namespace n ON n.oid = typnamespace
   WHERE classid = 'pg_type'::regclass
  UNION ALL SELECT NULL, 'SCHEMA', quote_ident(nspname) FROM member JOIN pg_namespace n ON n.oid = objid
   WHERE classid = 'pg_namespace'::regclass
  UNION ALL SELECT NULL, 'LANGUAGE', quote_ident(lanname) FROM member JOIN pg_language l ON l.oid = objid
   WHERE classid = 'pg_language'::regclass
  UNION ALL SELECT NULL, 'FOREIGN DATA WRAPPER', quote_ident(fdwname)
    FROM member JOIN pg_foreign_data_wrapper w ON w.oid = objid
   WHERE classid = 'pg_foreign_data_wrapper'::regclass`;
