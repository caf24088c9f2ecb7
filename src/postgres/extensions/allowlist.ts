import { flag, object } from '../../util/decode.ts';
import { catalogName } from '../rows.ts';
import { queryRows } from '../run-sql.ts';
import type { Postgres } from '../server.ts';
import { MAINTENANCE_DATABASE, sql } from '../sql.ts';

/**
 * Extensions that PostgreSQL trusts no owner of a database to create, and that give their users nothing beyond the
 * database: an admin role may create them because a backup says so. None of them reads or writes files, opens
 * connections, or runs programs for somebody who has no privilege on its functions that its own script does not give to
 * everybody.
 */
const SAFE: ReadonlySet<string> = new Set([
  'address_standardizer',
  'address_standardizer_data_us',
  'bloom',
  'btree_gin',
  'btree_gist',
  'citext',
  'cube',
  'dict_int',
  'dict_xsyn',
  'earthdistance',
  'fuzzystrmatch',
  'hstore',
  'intarray',
  'isn',
  'ltree',
  'pg_stat_statements',
  'pg_trgm',
  'pgcrypto',
  'pgrouting',
  'plpgsql',
  'postgis',
  'postgis_raster',
  'postgis_sfcgal',
  'postgis_tiger_geocoder',
  'postgis_topology',
  'seg',
  'tablefunc',
  'unaccent',
  'uuid-ossp',
  'vector',
]);

/** Extensions whose dangerous functions only a superuser can use until they are granted to others. */
const HARMLESS_UNGRANTED = [
  'adminpack',
  'amcheck',
  'dblink',
  'file_fdw',
  'pageinspect',
  'pg_buffercache',
  'pg_freespacemap',
  'pg_visibility',
  'pgstattuple',
  'plperlu',
  'plpython3u',
  'pltclu',
  'postgres_fdw',
];

/** Extensions that an admin role may create beyond the fixed list. */
export type AlsoAllowed = ReadonlySet<string>;

/** For a temporary server, on which no privilege on an extension is granted. */
export const ON_THROWAWAY_SERVER: AlsoAllowed = new Set(HARMLESS_UNGRANTED);

/** Whether an admin role may create the extension because a backup says so. */
export const mayBeCreatedByAdmin = (name: string, trusted: boolean, also: AlsoAllowed): boolean =>
  trusted || SAFE.has(name) || also.has(name);

type Installed = ReadonlyMap<string, boolean>;

/** The answers of this run: to give one, a server reads every script of every extension that it has. */
const answers = new WeakMap<Postgres, Promise<Installed>>();

/** Extensions that are installed on a server, and whether the owner of a database may create each (PostgreSQL 13 on). */
export function installedExtensions(postgres: Postgres): Promise<Installed> {
  const known = answers.get(postgres);
  if (known) return known;
  const asked = askInstalled(postgres);
  answers.set(postgres, asked);
  asked.catch(() => answers.delete(postgres));
  return asked;
}

async function askInstalled(postgres: Postgres): Promise<Installed> {
  const trusted = postgres.version.isAtLeast(13) ? sql`trusted` : false;
  const rows = await queryRows(
    postgres,
    MAINTENANCE_DATABASE,
    object({ name: catalogName, trusted: flag }),
    sql`SELECT name, bool_or(${trusted}) AS trusted FROM pg_catalog.pg_available_extension_versions GROUP BY name`,
  );
  return new Map(rows.map(({ name, trusted }) => [name, trusted]));
}

/** The extensions of a server that the owner of a database may create. */
export async function trustedExtensions(postgres: Postgres): Promise<ReadonlySet<string>> {
  const installed = await installedExtensions(postgres);
  return new Set([...installed].flatMap(([name, trusted]) => (trusted ? [name] : [])));
}
