import { isSuperusers } from './superuser-objects.ts';
import type { RestoreRights } from './toc-filter.ts';
import type { PgVersion } from './version.ts';

/** Says of a statement of a plain dump, from its first word to its semicolon, that it is not to be run. */
export type LeavesOut = (statement: string) => boolean;

export interface StatementRights extends RestoreRights {
  /** false: everything belongs to the role that loads, and nobody else may use it. */
  readonly keepOwnership: boolean;
  /** Version of the server. */
  readonly version: PgVersion;
}

const NAME = /(?:"(?:[^"]|"")+"|[^\s";'$]+)/.source;
const OWNER = new RegExp(`^ALTER\\s[^]*\\sOWNER TO ${NAME};$`, 'i');
const PRIVILEGES = /^(?:GRANT|REVOKE|ALTER DEFAULT PRIVILEGES|SET SESSION AUTHORIZATION)\s/i;
/** `CREATE SCHEMA extra;`, and what is said of it afterwards. */
const SCHEMA = new RegExp(`^(?:CREATE SCHEMA|ALTER SCHEMA(?= ${NAME} OWNER TO)) (${NAME})`, 'i');
const FOR_OWNERS = /^(?:COMMENT ON EXTENSION|(?:CREATE|ALTER|COMMENT ON) SCHEMA (?:"public"|public\b))/i;
/** `GRANT SELECT(srid) ON TABLE public.spatial_ref_sys TO reader;` */
const GRANT = /^(?:GRANT|REVOKE)\s.*?\sON ([A-Z]+ .*) (?:TO|FROM) .*;$/s;
/** pg_dump writes it from 17 on, and older servers do not know it. */
const TRANSACTION_TIMEOUT = /^SET transaction_timeout = 0;$/;

/**
 * Leaves out of a plain dump what `filterToc` leaves out of the others: what would fail for a reason that does no harm,
 * and schemas that were made already; besides, unless they are kept, owners and privileges, as `pg_restore --no-owner
 * --no-privileges` does.
 *
 * @param tell is told what is left out, except owners and privileges
 */
export function statementFilter(rights: StatementRights, tell: (statement: string) => void): LeavesOut {
  const { superuser, schemas, members = [], keepOwnership, version, withoutSuperusers = false } = rights;
  const made = new Set(schemas);
  const others = new Set(superuser ? [] : members.map(({ object }) => object));
  return (statement) => {
    if (!version.isAtLeast(17) && TRANSACTION_TIMEOUT.test(statement)) return true;
    if (!keepOwnership && (OWNER.test(statement) || PRIVILEGES.test(statement))) return true;
    const schema = SCHEMA.exec(statement)?.[1];
    const leftOut =
      (schema !== undefined && made.has(plainName(schema))) ||
      (!superuser && FOR_OWNERS.test(statement)) ||
      others.has(GRANT.exec(statement)?.[1] ?? '') ||
      (!superuser && withoutSuperusers && isSuperusers(statement));
    if (leftOut) tell(statement);
    return leftOut;
  };
}

const plainName = (name: string): string =>
  name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.replace(/;$/, '').toLowerCase();
