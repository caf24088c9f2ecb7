import { allEnded } from '../../util/begun.ts';
import { flag, object } from '../../util/decode.ts';
import { UserError } from '../../util/errors.ts';
import { runAsAny } from '../refusal.ts';
import { catalogName, longText } from '../rows.ts';
import { ask, queryRows, runSql } from '../run-sql.ts';
import type { Postgres } from '../server.ts';
import { identifier, list, MAINTENANCE_DATABASE, qualified, sql } from '../sql.ts';
import type { Extension } from '../traits.ts';
import {
  type AlsoAllowed,
  installedExtensions,
  mayBeCreatedByAdmin,
  trustedExtensions,
} from './allowlist.ts';
import { type ExtensionMember, extensionMembers } from './members.ts';
import { decodeSchemaOwner, SCHEMAS, type SchemaOwner } from './state.ts';

/** An extension that a new database cannot have as the backup had it. */
export interface ExtensionProblem {
  readonly extension: string;
  /**
   * `absent`: not installed on the server; `admin`: only an admin role may create it; `refused`: the admin role could,
   * and does not because a backup says so.
   */
  readonly problem: 'absent' | 'admin' | 'refused';
}

/**
 * What stands in the way of the extensions of a backup, read only.
 *
 * @param app the login that will own the database
 * @param also extensions that the admin role may create beyond the fixed list
 */
export async function extensionProblems(
  app: Postgres,
  admin: Postgres,
  extensions: readonly Extension[],
  also: AlsoAllowed = new Set(),
): Promise<ExtensionProblem[]> {
  const wanted = toCreate(extensions);
  if (wanted.length === 0) return [];
  const installed = await installedExtensions(app);
  return wanted.flatMap(({ name }): ExtensionProblem[] => {
    if (!installed.has(name)) return [{ extension: name, problem: 'absent' }];
    if (app.isSuperuser || installed.get(name)) return [];
    if (!admin.isSuperuser) return [{ extension: name, problem: 'admin' }];
    return mayBeCreatedByAdmin(name, false, also) ? [] : [{ extension: name, problem: 'refused' }];
  });
}

/** Whether one of the roles may mark `unaccent` IMMUTABLE, which only a superuser may. */
export const mayMarkImmutable = (app: Postgres, admin: Postgres): boolean =>
  app.isSuperuser || admin.isSuperuser;

/** Debian's package of an extension: PostgreSQL's own come with its server; the others are named by a common rule. */
export function packageOf(extension: Extension['name'], major: number): string {
  if (/^(postgis|address_standardizer)/.test(extension)) return `postgresql-${major}-postgis-3`;
  if (extension === 'vector') return `postgresql-${major}-pgvector`;
  return `postgresql-${major}-${extension.replaceAll('_', '-')}`;
}

const toCreate = (extensions: readonly Extension[]): Extension[] =>
  extensions.filter(({ name }) => name !== 'plpgsql'); // it is in template0

/** What was made before the dump is loaded. */
export interface Prepared {
  /** Made for an extension, or by it: the dump must not make them again. */
  readonly schemas: readonly string[];
  /**
   * Schemas that an extension has made for its maker, or that were made for an extension: the owner of the database has
   * them, so that the dump can be loaded.
   */
  readonly takenSchemas: readonly SchemaOwner[];
  readonly members: readonly ExtensionMember[];
  /** Extensions of another version than that of the backup, in words: `postgis 3.4.0 instead of 3.3.2`. */
  readonly otherVersions: readonly string[];
  /** `unaccent` keeps PostgreSQL's own mark, STABLE: a dump with an index on it cannot be loaded. */
  readonly unaccentStable: boolean;
}

/** A new database, and the logins that make what is in it. */
export interface NewDatabase {
  /** The login of Odoo's role, which loads the dump. */
  readonly app: Postgres;
  readonly admin: Postgres;
  readonly database: string;
  readonly owner: string;
}

/** How the extensions of a backup are to be made. */
export interface Creation {
  /** Whether an extension gets the backup's version, where the server has it; false: the server's default version. */
  readonly sameVersions: boolean;
  /** Owner of the backed-up database: the admin role creates what others had created. undefined: not known. */
  readonly formerOwner: string | undefined;
  /** Extensions that the admin role may create beyond the fixed list. */
  readonly also: AlsoAllowed;
}

/**
 * Creates the extensions of a backup in an empty database, ahead of the dump: as the role of Odoo where that may, as
 * the admin role otherwise, or where it was not the role of Odoo that had made them; and marks `unaccent` IMMUTABLE as
 * Odoo does (`odoo.service.db._create_empty_database`), which no dump holds. Where the admin role is a superuser, it
 * alone is connected, and takes the role of Odoo for what that may: the database is not handed over yet.
 *
 * @throws UserError naming the extension that neither may create
 */
export async function createExtensions(
  made: NewDatabase,
  extensions: readonly Extension[],
  { sameVersions, formerOwner, also }: Creation = {
    sameVersions: false,
    formerOwner: undefined,
    also: new Set(),
  },
): Promise<Prepared> {
  const { admin, database, owner } = made;
  const wanted = toCreate(extensions);
  const app = admin.isSuperuser ? await inRoleOf(made, wanted) : made.app;
  const [madeSchemas, versions, trusted] = await Promise.all([
    createSchemas(admin, database, owner, wanted),
    sameVersions ? versionsThere(admin, wanted) : new Set<string>(),
    wanted.length > 0 ? trustedExtensions(admin) : new Set<string>(),
  ]);
  for (const { name, schema, version, owner: maker } of wanted) {
    const inVersion = versions.has(`${name} ${version}`) ? sql`VERSION ${version}` : sql``;
    const statement = sql`CREATE EXTENSION IF NOT EXISTS ${identifier(name)} SCHEMA ${identifier(schema)} ${inVersion} CASCADE`;
    const byAdmin = maker !== undefined && formerOwner !== undefined && maker !== formerOwner;
    const mayAdmin = mayBeCreatedByAdmin(name, trusted.has(name), also);
    const roles = !mayAdmin ? [app] : byAdmin ? [admin, app] : [app, admin];
    const failure = await runAsAny(
      roles.map((role) => role.creatingExtensions()),
      database,
      statement,
    );
    if (!failure) continue;
    throw new UserError(
      `The extension ${name} cannot be created: ${failure.exit.stderr}`,
      'Install it on the database server, and name a superuser in db-admin-user where the role of Odoo may not create it.',
      { cause: failure },
    );
  }
  const ofUnaccent = wanted.find(({ name }) => name === 'unaccent')?.schema;
  const [{ schemas, taken }, members, others, refusal] = await allEnded(
    takeSchemas({ ...made, app }),
    extensionMembers(admin, database),
    sameVersions ? otherVersions(admin, database, wanted) : Promise.resolve([]),
    ofUnaccent === undefined
      ? Promise.resolve(undefined)
      : runAsAny(
          [app, admin],
          database,
          sql`ALTER FUNCTION ${qualified(ofUnaccent, 'unaccent')}(text) IMMUTABLE`,
        ),
    wanted.length > 0 ? grantConfiguration({ ...made, app }) : Promise.resolve(),
  );
  return {
    schemas,
    takenSchemas: [...taken, ...madeSchemas.map((name) => ({ name, owner: admin.login }))],
    members,
    otherVersions: others,
    unaccentStable: refusal !== undefined,
  };
}

/**
 * The admin's session in the role of another login, which may then create extensions in a database that is not its own.
 */
async function inRoleOf(
  { app, admin, database, owner }: NewDatabase,
  wanted: readonly Extension[],
): Promise<Postgres> {
  if (app.login === admin.login) return admin;
  // Only where there is something to create: the privileges of the database are then no longer PostgreSQL's own.
  if (wanted.length > 0) {
    const grant = sql`GRANT CREATE ON DATABASE ${identifier(database)} TO ${identifier(owner)}`;
    await runSql(admin, MAINTENANCE_DATABASE, grant);
  }
  return admin.inRole(app.login);
}

/** `postgis 3.3.2`, of those that the server can make. */
async function versionsThere(admin: Postgres, extensions: readonly Extension[]): Promise<Set<string>> {
  if (extensions.length === 0) return new Set();
  const names = list(extensions.map(({ name }) => name));
  const query = sql`SELECT name || ' ' || version FROM pg_available_extension_versions
    WHERE name = ANY (ARRAY[${names}]::name[])`;
  return new Set(await ask(admin, MAINTENANCE_DATABASE, query));
}

async function otherVersions(
  admin: Postgres,
  database: string,
  wanted: readonly Extension[],
): Promise<string[]> {
  if (wanted.length === 0) return [];
  const query = sql`SELECT extname AS name, extversion AS version FROM pg_extension`;
  const made = await queryRows(admin, database, object({ name: catalogName, version: longText }), query);
  const versionOf = new Map(made.map(({ name, version }) => [name, version]));
  return wanted
    .filter(({ name, version }) => version !== '' && versionOf.get(name) !== version)
    .map(({ name, version }) => `${name} ${versionOf.get(name)} instead of ${version}`);
}

/**
 * Lets the role that loads the dump add to the tables in which extensions keep what is the user's own, such as
 * reference systems of PostGIS and topologies: those rows are in the dump (`pg_extension_config_dump`), and the tables
 * belong to the role that created the extension. So do their sequences, on which the backup may have grants that only
 * this lets it repeat.
 */
async function grantConfiguration({ app, admin, database, owner }: NewDatabase): Promise<void> {
  // Asked of who may grant it: for a role that has some right of its own, GRANT does nothing and ends well.
  for (const postgres of new Set([admin, app])) {
    const rows = await queryRows(
      postgres,
      database,
      object({ isSequence: flag, schema: catalogName, name: catalogName }),
      sql`WITH tables AS (SELECT DISTINCT unnest(extconfig) AS oid FROM pg_extension),
            sequences AS (SELECT objid AS oid FROM pg_depend JOIN tables ON tables.oid = refobjid
                           WHERE classid = 'pg_class'::regclass AND refclassid = classid AND deptype IN ('a', 'i'))
       SELECT relkind = 'S' AS "isSequence",
              nspname AS schema, relname AS name
         FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
        WHERE c.oid IN (TABLE tables UNION TABLE sequences) AND relkind IN ('r', 'p', 'S')
          AND pg_has_role(relowner, 'USAGE') AND NOT pg_has_role(${owner}, relowner, 'USAGE')`,
    );
    const grants = rows.map(({ isSequence, schema, name }) => {
      const privileges = isSequence ? sql`ALL ON SEQUENCE` : sql`SELECT, INSERT ON TABLE`;
      return sql`GRANT ${privileges} ${qualified(schema, name)} TO ${identifier(owner)}`;
    });
    if (grants.length > 0) await runSql(postgres, database, ...grants);
  }
}

async function createSchemas(
  admin: Postgres,
  database: string,
  owner: string,
  extensions: readonly Extension[],
): Promise<string[]> {
  const names = [...new Set(extensions.map(({ schema }) => schema))];
  if (names.length === 0) return [];
  const absent = await ask(
    admin,
    database,
    sql`SELECT name FROM unnest(ARRAY[${list(names)}]::text[]) name
      WHERE NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = name)`,
  );
  const statements = absent.map(
    (name) => sql`CREATE SCHEMA ${identifier(name)} AUTHORIZATION ${identifier(owner)}`,
  );
  if (statements.length > 0) await runSql(admin, database, ...statements);
  return absent;
}

/**
 * Schemas that are there by now, which the dump makes as well, unless they are an extension's own. What extensions have
 * made of them (`tiger_data` of PostGIS) becomes the owner's, who loads what the dump says of them.
 *
 * @returns the names of all, and those that belonged to somebody else
 */
async function takeSchemas({
  app,
  admin,
  database,
  owner,
}: NewDatabase): Promise<{ readonly schemas: string[]; readonly taken: SchemaOwner[] }> {
  const there = await queryRows(admin, database, decodeSchemaOwner, SCHEMAS);
  const taken = there.filter((schema) => schema.owner !== owner);
  for (const schema of taken) {
    const statement = sql`ALTER SCHEMA ${identifier(schema.name)} OWNER TO ${identifier(owner)}`;
    await runAsAny([admin, app], database, statement); // who may not is told by what cannot be loaded
  }
  return { schemas: there.map(({ name }) => name), taken };
}
