import { allEnded } from '../../util/begun.ts';
import { type Decoded, flag, integer, nullable, object } from '../../util/decode.ts';
import { type RefusedStatement, refusalsOf } from '../refusal.ts';
import { catalogName } from '../rows.ts';
import { queryRows } from '../run-sql.ts';
import type { Postgres } from '../server.ts';
import type { Snapshot } from '../snapshot.ts';
import { identifier, join, list, qualified, type Sql, sql } from '../sql.ts';
import {
  decodeMemberObject,
  decodePrivilege,
  type ExtensionPrivilege,
  privilegeChanges,
} from './privileges.ts';

export const decodeSchemaOwner = object({ name: catalogName, owner: catalogName });

/** A schema that is in the dump, and may be there before it, for an extension. */
export interface SchemaOwner extends Decoded<typeof decodeSchemaOwner> {}

const decodeSequence = object({
  schema: catalogName,
  name: catalogName,
  /** A bigint, in decimal digits. */
  last: integer,
  called: flag,
});

/** One that pg_dump leaves out, unless its extension has it dumped (`pg_extension_config_dump`). */
export interface ExtensionSequence extends Decoded<typeof decodeSequence> {}

/** What belongs to the extensions of a database, and a dump leaves out or only an admin may put back. */
export interface ExtensionState {
  /** Not `public`, which every database has. */
  readonly schemas: readonly SchemaOwner[];
  /** As far as the role of the backup may read them. */
  readonly sequences: readonly ExtensionSequence[];
  /** What is another than their extension made it. */
  readonly privileges: readonly ExtensionPrivilege[];
}

/** What there is to put back. @throws UserError when the server refuses */
export async function extensionState(snapshot: Snapshot): Promise<ExtensionState> {
  const [schemas, sequences, privileges] = await Promise.all([
    snapshot.rows(decodeSchemaOwner, SCHEMAS),
    snapshot
      .rows(
        object({ schema: catalogName, name: catalogName }),
        sql`SELECT schema, name FROM (${SEQUENCES}) s WHERE readable`,
      )
      .then((readable) =>
        readable.length === 0
          ? []
          : snapshot.rows(decodeSequence, snapshot.onlyCopies ? LAST_VALUES : values(readable)),
      ),
    snapshot.rows(decodePrivilege, PRIVILEGES),
  ]);
  return { schemas, sequences, privileges };
}

/** How the roles that a backup names are replaced on this server. */
export interface Owners {
  readonly before: string;
  readonly now: string;
  /** Everybody else keeps what was theirs; false: those are others on another server. */
  readonly others: boolean;
}

/** The logins that put back what belongs to extensions, and what of it an admin may. */
export interface PutBack {
  /** The login that loads the dump. */
  readonly app: Postgres;
  readonly admin: Postgres;
  readonly database: string;
  /** undefined: it is not known; then the sequences are set to what their tables have. */
  readonly state: ExtensionState | undefined;
  readonly owners: Owners;
  /** Privileges on the database that is replaced, which an admin has given. */
  readonly given: readonly ExtensionPrivilege[];
  /** Schemas that extensions have made, with whom they belonged to before the owner took them. */
  readonly taken: readonly SchemaOwner[];
}

/**
 * Sets the sequences of extensions, before anything foreign is in the database: afterwards, no admin reads from its
 * tables.
 *
 * @returns what could not be set
 * @throws CommandError when the server cannot be asked
 */
export async function presetExtensionSequences({
  app,
  admin,
  database,
  state,
}: Pick<PutBack, 'app' | 'admin' | 'database' | 'state'>): Promise<RefusedStatement[]> {
  const there = await queryRows(admin, database, decodeSequenceOfColumn, SEQUENCES);
  // Nobody else is let in before the database is handed over.
  const logins = admin.isSuperuser ? [admin] : [admin, app];
  const refusals: RefusedStatement[] = [];
  for (const { schema, name } of there) {
    const then = state?.sequences.find((each) => each.schema === schema && each.name === name);
    if (!then) continue;
    const statement = sql`SELECT pg_catalog.setval(${qualified(schema, name).text}, ${then.last}::bigint, ${then.called})`;
    refusals.push(...(await refusalsOf(logins, database, [statement])));
  }
  return refusals;
}

/**
 * Makes the objects of extensions what they were, once the dump is loaded. The owner's login reads and sets; an admin
 * only gives and takes privileges, and hands back schemas.
 *
 * @returns what could not be put back
 * @throws CommandError when the server cannot be asked
 */
export async function putBackExtensionState(put: PutBack): Promise<RefusedStatement[]> {
  const [set, given] = await allEnded(putBackSequences(put), putBackRights(put));
  return [...set, ...given];
}

/** Who has a schema decides who gives privileges on it. */
async function putBackRights(put: PutBack): Promise<RefusedStatement[]> {
  if (!put.state) return [];
  const owners = put.owners.others ? await putBackOwners(put, put.state.schemas) : [];
  return [...owners, ...(await putBackPrivileges(put, put.state.privileges))];
}

/** Sets the sequences that the owner may set: what only an admin may set was set before the dump. */
async function putBackSequences({ app, database, state }: PutBack): Promise<RefusedStatement[]> {
  const recorded = state?.sequences ?? [];
  const there = (await queryRows(app, database, decodeSequenceOfColumn, SEQUENCES)).filter(
    ({ readable, writable }) => readable && writable,
  );
  const now = there.length === 0 ? [] : await queryRows(app, database, decodeSequence, values(there));
  const refusals: RefusedStatement[] = [];
  for (const { schema, name, ofColumn } of there) {
    const sequence = qualified(schema, name);
    const isIt = (each: ExtensionSequence) => each.schema === schema && each.name === name;
    const [then, found] = [recorded.find(isIt), now.find(isIt)];
    if (then ? then.last === found?.last && then.called === found.called : !ofColumn) continue;
    const statement = then
      ? sql`SELECT pg_catalog.setval(${sequence.text}, ${then.last}::bigint, ${then.called})`
      : ofColumn &&
        sql`SELECT pg_catalog.setval(${sequence.text}, highest) FROM ${sequence},
          (SELECT max(${identifier(ofColumn.column)}) AS highest FROM ${qualified(ofColumn.schema, ofColumn.table)}) t
          WHERE highest > last_value OR highest = last_value AND NOT is_called`;
    if (!statement) continue;
    refusals.push(...(await refusalsOf([app], database, [statement])));
  }
  return refusals;
}

/**
 * Schemas that were made ahead of the dump belong to the role that loads: `createExtensions`. An admin gives back only
 * what an extension had made for him.
 */
async function putBackOwners(
  { app, admin, database, taken, owners }: PutBack,
  recorded: readonly SchemaOwner[],
): Promise<RefusedStatement[]> {
  const now = new Map(
    (await queryRows(app, database, decodeSchemaOwner, SCHEMAS)).map(({ name, owner }) => [name, owner]),
  );
  const refusals: RefusedStatement[] = [];
  for (const { name, owner: before } of recorded) {
    const owner = before === owners.before ? owners.now : before;
    if (!now.has(name) || now.get(name) === owner) continue;
    const maker = taken.find((each) => each.name === name)?.owner;
    const statement = sql`ALTER SCHEMA ${identifier(name)} OWNER TO ${identifier(maker ?? owner)}`;
    refusals.push(...(await refusalsOf(maker === undefined ? [app] : [app, admin], database, [statement])));
  }
  return refusals;
}

/**
 * A role that may not give a privilege, but has another one, only gets a warning from PostgreSQL: so the result is read
 * back.
 */
async function putBackPrivileges(
  { app, admin, database, owners: { before, now, others }, given }: PutBack,
  recorded: readonly ExtensionPrivilege[],
): Promise<RefusedStatement[]> {
  // In a copy, a schema is its owner's alone, as everything that the dump makes.
  const counts = ({ object }: ExtensionPrivilege) => others || !object.startsWith('SCHEMA ');
  const wanted = recorded
    .filter((each) => counts(each) && (others || each.role === null || each.role === before))
    .map((each) => (each.role === before ? { ...each, role: now } : each));
  const names = new Set(wanted.map(({ object }) => object));
  const reasons = new Map<string, string>();
  const left = async () => {
    const [found, objects] = await Promise.all([
      queryRows(app, database, decodePrivilege, PRIVILEGES),
      queryRows(app, database, decodeMemberObject, objectsNamed(names)),
    ]);
    return privilegeChanges(wanted, found.filter(counts), objects, { owner: now, given });
  };
  let changes = await left();
  const { forbidden } = changes;
  for (const role of new Set([app, admin])) {
    if (changes.possible.length === 0) break;
    const refusals = await refusalsOf([role], database, changes.possible);
    for (const { statement, reason } of refusals) reasons.set(statement, reason);
    changes = await left();
  }
  const { possible, impossible } = changes;
  return [
    ...possible.map(({ text }) => ({
      statement: text,
      reason: reasons.get(text) ?? 'only its owner may, or a superuser: see db-admin-user',
    })),
    ...forbidden,
    ...impossible,
  ];
}

/** The privileges on the objects of a database's extensions that an admin has given. */
export const memberPrivileges = (postgres: Postgres, database: string): Promise<ExtensionPrivilege[]> =>
  queryRows(postgres, database, decodePrivilege, sql`${PRIVILEGES} WHERE "ownerIsSuper"`);

/**
 * Query: the schemas that a dump makes. An extension may live in one without having made it: then it is no part of
 * that.
 */
export const SCHEMAS = sql`SELECT nspname AS name, pg_get_userbyid(nspowner) AS owner FROM pg_namespace n
  WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public')
    AND NOT EXISTS (SELECT FROM pg_depend
      WHERE classid = 'pg_namespace'::regclass AND objid = n.oid AND deptype = 'e') ORDER BY 1`;

/** A sequence of an extension, and the column whose values it makes. */
const decodeSequenceOfColumn = object({
  schema: catalogName,
  name: catalogName,
  // null: it was dropped meanwhile
  readable: nullable(flag),
  writable: nullable(flag),
  ofColumn: nullable(object({ schema: catalogName, table: catalogName, column: catalogName })),
});

const SEQUENCES = sql`SELECT n.nspname AS schema, s.relname AS name,
    CASE relkind WHEN 'S' THEN has_sequence_privilege(s.oid, 'SELECT') END AS readable,
    CASE relkind WHEN 'S' THEN has_sequence_privilege(s.oid, 'UPDATE') END AS writable,
    (SELECT json_build_object('schema', tn.nspname, 'table', t.relname, 'column', attname)
       FROM pg_depend d JOIN pg_class t ON t.oid = refobjid JOIN pg_namespace tn ON tn.oid = t.relnamespace
         JOIN pg_attribute ON attrelid = t.oid AND attnum = refobjsubid
      WHERE classid = 'pg_class'::regclass AND objid = s.oid AND refclassid = classid AND deptype IN ('a', 'i')
        AND t.relkind IN ('r', 'p') AND seqincrement > 0 AND NOT seqcycle) AS "ofColumn"
  FROM pg_class s JOIN pg_namespace n ON n.oid = s.relnamespace JOIN pg_sequence ON seqrelid = s.oid
  WHERE relkind = 'S' AND EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = s.oid AND deptype = 'e')`;

const values = (sequences: readonly Pick<ExtensionSequence, 'schema' | 'name'>[]): Sql =>
  join(
    sequences.map(
      ({ schema, name }) => sql`SELECT ${schema} AS schema, ${name} AS name,
        last_value::text AS last, is_called AS called FROM ${qualified(schema, name)}`,
    ),
    sql` UNION ALL `,
  );

/**
 * The same without a name of theirs in the query, which the owner of an extension could give to a view in between. A
 * sequence that has given no value yet is where it began, as far as anybody can see.
 */
const LAST_VALUES = sql`SELECT schema, name, coalesce(pg_sequence_last_value(q.seqrelid), q.seqstart)::text AS last,
    pg_sequence_last_value(q.seqrelid) IS NOT NULL AS called
  FROM (${SEQUENCES}) s JOIN pg_namespace n ON n.nspname = schema
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = name JOIN pg_sequence q ON q.seqrelid = c.oid`;

/** The letter says what `acldefault` is to give. Identities have every name with its schema, and quoted. */
const OBJECTS = sql`WITH member AS (
    SELECT classid, objid FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
  ), relation AS (
    SELECT classid, objid, relowner, relacl, CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char" AS letter
      FROM member JOIN pg_class ON oid = objid
     WHERE classid = 'pg_class'::regclass AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  ), object AS (
    SELECT classid, objid, 0 AS part, NULL::name AS "column", relowner AS owner, relacl AS acl, letter,
           CASE letter WHEN 's' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind FROM relation
    UNION ALL SELECT classid, objid, attnum, attname, relowner, attacl, 'c', 'TABLE'
      FROM relation JOIN pg_attribute ON attrelid = objid WHERE letter = 'r' AND attnum > 0 AND NOT attisdropped
    UNION ALL SELECT classid, objid, 0, NULL, proowner, proacl, 'f', 'ROUTINE'
      FROM member JOIN pg_proc ON oid = objid WHERE classid = 'pg_proc'::regclass
    UNION ALL SELECT classid, objid, 0, NULL, typowner, typacl, 'T', 'TYPE'
      FROM member JOIN pg_type ON oid = objid WHERE classid = 'pg_type'::regclass
    UNION ALL SELECT classid, objid, 0, NULL, lanowner, lanacl, 'l', 'LANGUAGE'
      FROM member JOIN pg_language ON oid = objid WHERE classid = 'pg_language'::regclass
    UNION ALL SELECT 'pg_namespace'::regclass, oid, 0, NULL, nspowner, nspacl, 'n', 'SCHEMA'
      FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public')
    UNION ALL SELECT classid, objid, 0, NULL, fdwowner, fdwacl, 'F', 'FOREIGN DATA WRAPPER'
      FROM member JOIN pg_foreign_data_wrapper ON oid = objid WHERE classid = 'pg_foreign_data_wrapper'::regclass
  )`;

const NAME = sql`kind || ' ' || (pg_identify_object(classid, objid, 0)).identity`;

/**
 * What the owner of the database may do as the owner of an extension's table counts as given: after a restore that may
 * be the admin's, which Odoo does not use to log in.
 */
const ALL_PRIVILEGES = sql`${OBJECTS}, with_acl AS (
    SELECT object.*, coalesce(acl, acldefault(letter, owner)) AS now,
           coalesce(CASE WHEN letter <> 'n' THEN initprivs END, acldefault(letter, owner)) AS made,
           letter IN ('r', 's') AND owner = datdba AS given
      FROM object JOIN pg_database ON datname = current_database()
        LEFT JOIN pg_init_privs ON classoid = classid AND objoid = objid AND objsubid = part
  )
  SELECT ${NAME} AS object, "column", privilege_type AS privilege,
         CASE grantee WHEN 0 THEN NULL ELSE pg_get_userbyid(grantee) END AS role, grantable, granted,
         (SELECT rolsuper FROM pg_roles WHERE oid = owner) AS "ownerIsSuper"
    FROM with_acl, LATERAL (
      (SELECT true AS granted, grantee, privilege_type, is_grantable AS grantable FROM aclexplode(now)
        EXCEPT SELECT true, grantee, privilege_type, is_grantable FROM aclexplode(made)
                WHERE NOT (given AND grantee = owner))
      UNION ALL
      (SELECT false, grantee, privilege_type, false FROM aclexplode(made) WHERE grantor <> grantee
        EXCEPT SELECT false, grantee, privilege_type, false FROM aclexplode(now))
    ) item WHERE grantee <> owner OR given ORDER BY 1, 2, 3, 4`;

const PRIVILEGES = sql`SELECT object, "column", privilege, role, grantable, granted FROM (${ALL_PRIVILEGES}) p`;

const objectsNamed = (names: ReadonlySet<string>): Sql =>
  sql`${OBJECTS} SELECT DISTINCT ON (1) ${NAME} AS object, pg_get_userbyid(owner) AS owner,
      (SELECT coalesce(json_agg(privilege_type), '[]')
         FROM aclexplode(coalesce((SELECT initprivs FROM pg_init_privs
                WHERE classoid = classid AND objoid = objid AND objsubid = 0), acldefault(letter, owner)))
        WHERE grantee = 0) AS everybodys
      FROM object WHERE part = 0 AND ${NAME} = ANY (ARRAY[${list([...names])}]::text[])`;
