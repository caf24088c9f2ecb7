import { CommandError } from '../host/host.ts';
import { UserError } from '../util/errors.ts';
import { formatNames } from '../util/format.ts';
import { READING_HINT, STANDBY_CONFLICT } from './reading-hints.ts';
import { runSql } from './run-sql.ts';
import type { Snapshot } from './snapshot.ts';
import { identifier, sql } from './sql.ts';

/** More are counted and not named. */
const MOST_NAMED = 5;

/**
 * A pg_dump that failed, for people. It gives the server's words in the server's language and no SQLSTATE, so the
 * database is asked for what may be the reason; nothing of the owner's is evaluated.
 */
export async function dumpFailure(
  snapshot: Snapshot,
  error: CommandError,
  cause: unknown,
): Promise<UserError> {
  const reasons = await reasonsFor(snapshot).catch((failure: unknown) => {
    if (failure instanceof CommandError) return []; // as the connection may be what is gone
    throw failure;
  });
  const hint = reasons.length > 0 ? reasons.join(' ') : READING_HINT;
  return new UserError(`pg_dump failed. ${error.message}`, `No archive was made. ${hint}`, { cause });
}

async function reasonsFor({ postgres, database }: Snapshot): Promise<string[]> {
  const ask = (query: Parameters<typeof runSql>[2]) => runSql(postgres, database, query);
  const [unreadable, hidden, objects, standby] = await Promise.all([
    ask(UNREADABLE),
    ask(WITH_POLICIES),
    ask(LARGE_OBJECTS),
    ask(sql`SELECT pg_is_in_recovery()`),
  ]);
  const role = postgres.login;
  return [
    ...(unreadable.length > 0
      ? [
          `The role ${role} may not read ${listed(unreadable)}: GRANT SELECT, or GRANT USAGE on the schema, or make it a member of the owner’s role.`,
        ]
      : []),
    ...(hidden.length > 0
      ? [
          `Row-level security hides rows of ${listed(hidden)} from ${role}, and a backup without them would not be whole: let their owner make the backup (and ALTER TABLE … NO FORCE ROW LEVEL SECURITY, where it is the owner that is kept from them), or ALTER ROLE ${identifier(role).text} BYPASSRLS.`,
        ]
      : []),
    ...(objects.length > 0
      ? [
          `Large objects belong to other roles than ${role}, which may not read them (${listed(objects)}): ALTER LARGE OBJECT … OWNER TO ${identifier(role).text}, or GRANT SELECT ON LARGE OBJECT.`,
        ]
      : []),
    ...(standby[0] === 't' ? [`The server is a standby, which ${STANDBY_CONFLICT}`] : []),
  ];
}

const listed = (names: readonly string[]): string => formatNames(names, MOST_NAMED);

const UNREADABLE = sql`SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
  WHERE relkind IN ('r', 'p', 'S', 'm') AND nspname <> 'information_schema' AND nspname !~ '^pg_'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    AND NOT (CASE relkind WHEN 'S' THEN has_sequence_privilege(c.oid, 'SELECT') ELSE has_table_privilege(c.oid, 'SELECT') END
             AND has_schema_privilege(n.oid, 'USAGE')) ORDER BY 1`;

const WITH_POLICIES = sql`SELECT c.oid::regclass FROM pg_class c WHERE relrowsecurity AND row_security_active(c.oid) ORDER BY 1`;

const LARGE_OBJECTS = sql`SELECT m.oid FROM pg_largeobject_metadata m
  WHERE NOT pg_has_role(lomowner, 'USAGE') AND current_setting('lo_compat_privileges') = 'off'
    AND NOT EXISTS (SELECT FROM aclexplode(lomacl) a WHERE a.privilege_type = 'SELECT'
      AND (a.grantee = 0 OR pg_has_role(a.grantee, 'USAGE'))) ORDER BY 1`;
