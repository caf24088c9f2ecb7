import { UserError } from '../util/errors.ts';
import { runSql } from './run-sql.ts';
import type { Postgres } from './server.ts';
import { DEFAULT_TABLESPACE, identifier, join, MAINTENANCE_DATABASE, type Sql, sql } from './sql.ts';
import { LOCALE_REFUSED, SqlError } from './sql-error.ts';
import type { DatabaseTraits } from './traits.ts';
import { signed } from './unfinished-work.ts';
import type { PgVersion } from './version.ts';

/** What a database must be created with: all that cannot be changed later. */
export type CreationTraits = Pick<
  DatabaseTraits,
  'encoding' | 'collate' | 'ctype' | 'localeProvider' | 'locale'
>;

/**
 * Creates an empty database. It is marked as a template until it is swapped in: Odoo offers every database of its
 * role that is no template (`odoo.service.db.list_dbs`) and runs the crons of each; a copy being built must not be
 * among them.
 *
 * What a superuser creates stays the superuser's, and lets nobody else in, until `handOver`: its owner, or a role that
 * may create objects in `public`, could otherwise put names there which the scripts of extensions then take for
 * PostgreSQL's. A limit of connections alone would not do, for an owner may lift it.
 *
 * @param tablespace of the database that it will take the place of
 * @throws UserError when the server cannot make one with these traits, or the role may not
 */
export async function createDatabase(
  admin: Postgres,
  name: string,
  owner: string,
  { tablespace = DEFAULT_TABLESPACE, ...traits }: CreationTraits & { readonly tablespace?: string },
): Promise<void> {
  // Naming even the default one takes a right that few roles have.
  const inTablespace = tablespace === DEFAULT_TABLESPACE ? sql`` : sql`TABLESPACE ${identifier(tablespace)}`;
  const access = admin.isSuperuser ? sql`CONNECTION LIMIT 0` : sql`OWNER ${identifier(owner)}`;
  const statement = sql`CREATE DATABASE ${identifier(name)} TEMPLATE template0
    ${localeClauses(traits, admin.version)} ${inTablespace} IS_TEMPLATE true ${access}`;
  try {
    await runSql(admin, MAINTENANCE_DATABASE, signed(name), statement);
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    const { encoding, collate, ctype, locale } = traits;
    const locales = [...new Set([collate, ctype, locale])].filter((each) => each !== null).join(', ');
    throw new UserError(
      `PostgreSQL cannot create ${name} (${encoding}, ${locales}): ${error.exit.stderr}`,
      LOCALE_REFUSED.has(error.sqlState)
        ? `Generate the locale on the host, then restart PostgreSQL: locale-gen ${collate}`
        : 'The role needs CREATEDB, and membership of the owner’s role; or name one that has them in db-admin-user.',
      { cause: error },
    );
  }
}

/** Gives a database that a superuser has created to its owner, and lets others in. @throws SqlError */
export async function handOver(admin: Postgres, name: string, owner: string): Promise<void> {
  if (!admin.isSuperuser) return;
  await runSql(
    admin,
    MAINTENANCE_DATABASE,
    sql`ALTER DATABASE ${identifier(name)} OWNER TO ${identifier(owner)}`,
    sql`ALTER DATABASE ${identifier(name)} CONNECTION LIMIT -1`,
  );
}

/**
 * The traits in the words of a server (https://www.postgresql.org/docs/current/sql-createdatabase.html).
 *
 * @param version of the server
 * @throws UserError when that has no such locale provider yet
 */
export function localeClauses(traits: CreationTraits, version: PgVersion): Sql {
  const { encoding, collate, ctype, localeProvider, locale } = traits;
  const clauses = [sql`ENCODING ${encoding}`, sql`LC_COLLATE ${collate}`, sql`LC_CTYPE ${ctype}`];
  const provider = LOCALE_PROVIDERS.get(localeProvider);
  if (!provider) {
    throw new UserError(
      `The backup’s database sorts by a locale provider that PostgreSQL does not have: ${JSON.stringify(localeProvider)}`,
      `PostgreSQL has ${[...LOCALE_PROVIDERS.keys()].join(', ')}. A backup of this program names one of them: choose another backup.`,
    );
  }
  const { since, name, locale: own } = provider;
  if (own) {
    if (!version.isAtLeast(since)) {
      throw new UserError(
        `The backup’s database sorts by locale provider ${localeProvider}, which PostgreSQL has from ${since} on`,
        `Restore it to a server of PostgreSQL ${since} or newer.`,
      );
    }
    clauses.push(sql`LOCALE_PROVIDER ${name}`);
    if (locale !== null) clauses.push(sql`${own} ${locale}`);
  } else if (version.isAtLeast(since)) {
    clauses.push(sql`LOCALE_PROVIDER ${name}`);
  }
  return join(clauses, sql` `);
}

interface LocaleProvider {
  readonly name: Sql;
  /** The major version of PostgreSQL that has it by name. */
  readonly since: number;
  /** The clause that names its locale, where that is another than LC_COLLATE. */
  readonly locale?: Sql;
}

const LOCALE_PROVIDERS: ReadonlyMap<string, LocaleProvider> = new Map([
  ['libc', { name: sql`libc`, since: 15 }],
  ['icu', { name: sql`icu`, since: 15, locale: sql`ICU_LOCALE` }],
  ['builtin', { name: sql`builtin`, since: 17, locale: sql`BUILTIN_LOCALE` }],
]);

/**
 * The locales of a database that the server's machine does not have, read only. Setting a locale shows whether it
 * exists.
 */
export async function missingLocales(
  postgres: Postgres,
  { collate, ctype }: Pick<CreationTraits, 'collate' | 'ctype'>,
): Promise<string[]> {
  const locales = [...new Set([collate, ctype])];
  const missing = await Promise.all(locales.map((locale) => isMissing(postgres, locale)));
  return locales.filter((_, i) => missing[i]);
}

async function isMissing(postgres: Postgres, locale: string): Promise<boolean> {
  try {
    await runSql(postgres, MAINTENANCE_DATABASE, sql`SET lc_monetary TO ${locale}`);
    return false;
  } catch (error) {
    if (!(error instanceof SqlError && LOCALE_REFUSED.has(error.sqlState))) throw error;
    return true;
  }
}
