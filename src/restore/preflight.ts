import { dirname, join } from 'node:path/posix';
import { extensionsIn } from '../backup-reader/dump-extensions.ts';
import { readToc } from '../backup-reader/dump-toc.ts';
import type { RestoreSource } from '../backup-reader/open.ts';
import { CommandError } from '../host/host.ts';
import { isMountPoint } from '../host/mounts.ts';
import type { OwnedFolder } from '../host/owned-folder.ts';
import { run } from '../host/run.ts';
import { healthNow } from '../odoo/health.ts';
import { findOdooProgram, type OdooProgram } from '../odoo/program.ts';
import { compareFilestore, type Difference } from '../odoo/staging.ts';
import { type AdminGrants, adminGrants, NO_GRANTS } from '../postgres/admin-grants.ts';
import {
  isSuperuser,
  listSessions,
  localeClauses,
  missingLocales,
  missingRights,
  missingRoles,
  type SessionGroup,
} from '../postgres/databases.ts';
import { trustedExtensions } from '../postgres/extensions/allowlist.ts';
import { extensionProblems, mayMarkImmutable, packageOf } from '../postgres/extensions/create.ts';
import { withRestoreClient } from '../postgres/load-errors.ts';
import { lockProblem } from '../postgres/lock.ts';
import { isSuperRole, ownerLogin } from '../postgres/owner-login.ts';
import { type LogicalSlot, logicalSlots } from '../postgres/replication-slots.ts';
import { strangersTo } from '../postgres/role-members.ts';
import { queryRows, runSql } from '../postgres/run-sql.ts';
import type { Postgres } from '../postgres/server.ts';
import { Snapshot } from '../postgres/snapshot.ts';
import { MAINTENANCE_DATABASE, sql } from '../postgres/sql.ts';
import { type DatabaseTraits, databaseTraits, type Extension } from '../postgres/traits.ts';
import { majorOf } from '../postgres/version.ts';
import { UserError } from '../util/errors.ts';
import { formatBytes } from '../util/format.ts';
import type { Problem } from './problem.ts';
import type { Request } from './request.ts';
import { checkSpace, type Space } from './space.ts';
import type { Target } from './target.ts';
import {
  assertHoldsRows,
  NOTHING_UNLOADABLE,
  tocProblems,
  type Unloadable,
  unloadable,
} from './toc-checks.ts';

/** What the read-only checks of a restore have found. */
export interface Findings extends Space {
  readonly problems: readonly Problem[];
  /** What was checked and is as it has to be: one thought each. */
  readonly passed: readonly string[];
  /** Worth knowing before it is done. */
  readonly warnings: readonly string[];
  /** Owner of the new database. */
  readonly owner: string;
  readonly traits: DatabaseTraits;
  readonly extensions: readonly Extension[];
  /** Its tables keep the owners and grants of the backup. */
  readonly keepOwnership: boolean;
  /** What only a superuser may make, and a copy goes without. */
  readonly withoutObjects: Unloadable;
  /** Slots of logical replication that go with the database which is replaced. */
  readonly slots: readonly LogicalSlot[];
  /** The login that loads the dump, and does what else is done among its content; with a pg_restore that reads it. */
  readonly loader: Postgres;
  /** What an admin has given to the database that is replaced. */
  readonly given: AdminGrants;
  /** What only the admin role may do, and does: one action a line. Empty where the loader does everything. */
  readonly adminActions: readonly string[];
  /** undefined: the filestore is left alone. */
  readonly difference: Difference | undefined;
  /** The filestore of the database that was backed up, where a copy is made beside it; undefined: there is none. */
  readonly neighbour: OwnedFolder | undefined;
  /** Connected to what would be replaced. */
  readonly sessions: readonly SessionGroup[];
  readonly databaseBytes: number;
  /** Whether Odoo has to stop for the swap. */
  readonly stops: boolean;
  /** The units that run; undefined: nobody can tell. */
  readonly running: readonly string[] | undefined;
  /** What the health check says before anything is done; undefined: nobody has to ask. */
  readonly answer: string | undefined;
  /** For `neutralize`; undefined: the host has none, or it is not needed. */
  readonly program: OdooProgram | undefined;
}

/** Where a dump is compressed, its database takes about so many times its size. */
const GROWTH = 5;

/** Runs every check, changes nothing, and stops at no problem: a person shall see all of them at once. */
export async function preflight(source: RestoreSource, target: Target, request: Request): Promise<Findings> {
  const check = new Preflight(source, target, request);
  return check.run();
}

class Preflight {
  readonly #source: RestoreSource;
  readonly #target: Target;
  readonly #request: Request;
  readonly #problems: Problem[] = [];
  readonly #passed: string[] = [];
  readonly #warnings: string[] = [];

  constructor(source: RestoreSource, target: Target, request: Request) {
    this.#source = source;
    this.#target = target;
    this.#request = request;
  }

  async run(): Promise<Findings> {
    this.#checkIdentity();
    this.#checkVersions();
    this.#checkPooler();
    const { current, postgres, admin, database } = this.#target;
    const { description } = this.#source;
    const keepOwnership = this.#request.inPlace;
    const [owner, neighbour] = await Promise.all([this.#owner(), this.#neighbour()]);
    const login = await this.#login(owner);
    const fittingLoader = this.#loader(login);
    const [traits, extensions, loader, difference, sessions, running, answer, program] = await Promise.all([
      this.#traits(),
      this.#extensions(fittingLoader),
      fittingLoader,
      this.#difference(neighbour),
      current ? listSessions(admin, database) : [],
      this.#running(),
      this.#answer(),
      this.#program(),
    ]);
    const databaseBytes =
      description?.databaseBytes ?? Math.max(current?.bytes ?? 0, this.#source.dump.size * this.#growth());
    const [given, withoutObjects, slots] = await Promise.all([
      this.#given(login),
      this.#checkToc(login, loader, extensions, keepOwnership),
      this.#checkSlots(),
      this.#checkMount(),
    ]);
    const [space, adminActions] = await Promise.all([
      this.#space(databaseBytes, filestoreBytes(difference)),
      this.#adminActions(login, extensions, traits),
      this.#checkRights(owner),
      this.#checkRoles(keepOwnership),
      this.#checkExtensions(login, extensions, given),
      this.#checkLocales(traits),
      this.#checkTrust(login, owner),
      this.#checkLock(),
    ]);
    this.#checkSessions(sessions);
    return {
      ...space,
      problems: this.#problems,
      passed: this.#passed.toSorted(),
      warnings: this.#warnings,
      owner,
      traits,
      extensions,
      keepOwnership,
      withoutObjects,
      slots,
      loader: loader ?? postgres,
      given,
      adminActions,
      difference,
      neighbour,
      sessions,
      databaseBytes,
      stops: this.#stops,
      running,
      answer,
      program,
    };
  }

  /** A rollback starts Odoo also where its database is gone; a new copy is nothing that Odoo has open. */
  get #stops(): boolean {
    const { services, current } = this.#target;
    return services !== undefined && (this.#request.inPlace || current !== undefined);
  }

  #problem(message: string, hint: string): void {
    if (this.#problems.some((each) => each.message === message)) return; // found by another check as well
    this.#problems.push({ message, hint });
  }

  /** A check whose error is a problem among others. */
  async #attempt<T>(body: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await body();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#problem(error.message, error.hint);
      return undefined;
    }
  }

  #checkIdentity(): void {
    const { database } = this.#target;
    const of = this.#source.database;
    if (this.#request.inPlace) {
      if (of === undefined) {
        this.#warnings.push(`${this.#source.uri} does not say which database it is of`);
      } else if (of !== database) {
        this.#problem(
          `The backup is of ${of}, and the database to roll back is ${database}`,
          'Choose a backup of this database, or use the command restore, which makes a copy under another name.',
        );
      }
    } else {
      this.#checkTarget();
    }
    if (!this.#source.receipt) {
      this.#warnings.push(
        'The backup has no receipt: nobody has verified that it is whole, and it is restored for what it says of itself (allow-unverified)',
      );
    }
  }

  /** Checks the target of a copy. */
  #checkTarget(): void {
    const { database, current, filestore } = this.#target;
    const { replace, neutralize, source } = this.#request;
    const of = this.#source.database;
    if (source !== undefined && of !== undefined && source !== of) {
      this.#problem(
        `database: the backup is of ${of}, and not of ${source}`,
        'Choose a backup of that database, or leave the input database out.',
      );
    }
    const takesFilestore = filestore?.exists && this.#source.filestore !== undefined;
    if (!replace && (current || takesFilestore)) {
      const size = current?.bytes == null ? 'data' : formatBytes(current.bytes);
      this.#problem(
        current
          ? `target-database: ${database} is there already, with ${size}`
          : `target-database: there is no database ${database}, but its filestore is there already: ${filestore?.path}`,
        'Choose another name, or set replace: true.',
      );
    }
    if (current && replace && neutralize && of === database) {
      this.#warnings.push(
        `${database} bears the name of the database that was backed up, and will be neutralized: to put a backup back as it was, use the command rollback`,
      );
    }
  }

  /** What loads a dump starts with options of its own, which a pooler refuses or forgets. */
  #checkPooler(): void {
    const { postgres, admin } = this.#target;
    if (!postgres.isPooled && !admin.isPooled) return;
    this.#problem(
      'PostgreSQL is reached through a connection pooler such as pgbouncer: no dump can be loaded through it',
      'Set db-host and db-port to the PostgreSQL server itself.',
    );
  }

  #checkVersions(): void {
    const { postgres } = this.#target;
    const made = majorOf(this.#source.description?.postgres.server ?? this.#source.receipt?.postgres.server);
    if (made === undefined) return;
    if (postgres.version.isAtLeast(made)) {
      this.#passed.push(`PostgreSQL ${postgres.version.text} takes a dump of ${made}`);
      return;
    }
    this.#problem(
      `The backup is of PostgreSQL ${made}, and the host has ${postgres.version.text}: dumps do not go to an older major version`,
      `Restore it to a server of PostgreSQL ${made} or newer.`,
    );
  }

  /** The login that loads the dump; where there is none, the one that only looks. */
  async #login(owner: string): Promise<Postgres> {
    const { postgres, odooRole, site, installation } = this.#target;
    const login = await this.#attempt(() =>
      ownerLogin(postgres, owner, odooRole, site.database.accounts, installation.tools),
    );
    return login ?? postgres;
  }

  async #given(login: Postgres): Promise<AdminGrants> {
    const { current, database } = this.#target;
    if (!current?.allowsConnections) return NO_GRANTS;
    try {
      return await adminGrants(login, database);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      return NO_GRANTS;
    }
  }

  /** In place, everything stays as it was; elsewhere, the role of that Odoo has to be able to use it. */
  async #owner(): Promise<string> {
    const { current, postgres, admin, odooRole } = this.#target;
    if (!this.#request.inPlace) {
      // Whoever logs in as a superuser makes copies for Odoo, not for himself.
      for (const name of [odooRole?.name, this.#source.description?.postgres.owner]) {
        if (name === undefined || name === postgres.role) continue;
        if (!(await isSuperRole(admin, postgres.role))) break;
        const [missing] = await missingRoles(admin, [name]);
        if (missing === undefined && !(await isSuperRole(admin, name))) return name;
      }
      return postgres.role;
    }
    if (current) return current.owner;
    const before = this.#source.description?.postgres.owner;
    if (before !== undefined) {
      const [missing] = await missingRoles(admin, [before]);
      if (missing === undefined) return before;
    }
    return postgres.role;
  }

  async #traits(): Promise<DatabaseTraits> {
    const { current, database, postgres, admin } = this.#target;
    if (this.#source.description) return this.#source.description.postgres;
    if (current?.allowsConnections) {
      await using snapshot = await Snapshot.open(postgres, database);
      return await databaseTraits(snapshot);
    }
    // As odoo.service.db._create_empty_database.
    const [server] = await queryRows<{ ctype: string }>(
      admin,
      MAINTENANCE_DATABASE,
      sql`SELECT datctype AS ctype FROM pg_database WHERE datname = 'template0'`,
    );
    return {
      owner: postgres.role,
      encoding: 'UTF8',
      collate: 'C',
      ctype: server?.ctype ?? 'C',
      localeProvider: 'libc',
      locale: null,
      privileges: [],
      settings: [],
    };
  }

  /** A backup that does not say it needs those that its dump makes, or else those of the database that it replaces. */
  async #extensions(loader: Promise<Postgres | undefined>): Promise<readonly Extension[]> {
    const { current, database, postgres } = this.#target;
    if (this.#source.description) return this.#source.description.extensions;
    const fitting = await loader;
    if (!fitting) return [];
    const inDump = await this.#attempt(() => extensionsIn(this.#source.dump, fitting));
    if (inDump || !current?.allowsConnections) return inDump ?? [];
    return queryRows<Extension>(
      postgres,
      database,
      sql`SELECT extname AS name, extversion AS version, nspname AS schema, pg_get_userbyid(extowner) AS owner FROM pg_extension
         JOIN pg_namespace n ON n.oid = extnamespace ORDER BY 1`,
    );
  }

  async #loader(login: Postgres): Promise<Postgres | undefined> {
    const { installation } = this.#target;
    if (this.#source.dump.kind === 'plain') return login;
    const dumpMajor =
      this.#source.description?.postgres.pgDump ?? majorOf(this.#source.receipt?.postgres.client);
    return this.#attempt(() => withRestoreClient(login, installation.tools, dumpMajor));
  }

  /** For a copy made where the original lives: the filestore of the original, which holds most of its files too. */
  async #neighbour(): Promise<OwnedFolder | undefined> {
    const { filestore, database } = this.#target;
    const of = this.#source.database;
    if (this.#request.inPlace || !filestore || !this.#source.filestore) return undefined;
    if (of === undefined || of === database || !/^\w[\w.-]*$/.test(of)) return undefined;
    const path = join(dirname(filestore.path), of);
    const open = '[ ! -L "$1" ] && [ -d "$1" ] && [ -r "$1" ] && [ -x "$1" ] && echo open; :';
    const answer = await run(filestore.host, filestore.command(['sh', '-c', open, 'sh', path]));
    return answer === '' ? undefined : { ...filestore, path, exists: true };
  }

  async #difference(neighbour: OwnedFolder | undefined): Promise<Difference | undefined> {
    const { filestore } = this.#target;
    const wanted = this.#source.filestore;
    if (!filestore || !wanted) {
      if (filestore) {
        this.#warnings.push('The backup is of the database alone: the filestore stays as it is');
      } else if (wanted) {
        this.#warnings.push('filestore: false: the attachments of the backup stay where they are');
      }
      return undefined;
    }
    return compareFilestore(filestore, [...wanted.values()], neighbour);
  }

  async #running(): Promise<readonly string[] | undefined> {
    const { services } = this.#target;
    if (!services) return undefined;
    const problems = (await this.#attempt(() => services.problems())) ?? [];
    for (const { message, hint } of problems) this.#problem(message, hint);
    const running = await this.#attempt(() => services.running());
    if (problems.length === 0 && running !== undefined) {
      this.#passed.push(`${[...services.stopCommands, ...services.startCommands].join(', ')} may be run`);
    }
    return running;
  }

  /** A check that cannot be passed would take every rollback back: here a person sees what it asks. */
  async #answer(): Promise<string | undefined> {
    const { site, services, health } = this.#target;
    return services && this.#stops ? healthNow(site.pages, services, health.check) : undefined;
  }

  async #program(): Promise<OdooProgram | undefined> {
    if (!this.#request.neutralize) return undefined;
    const { site, services, installation } = this.#target;
    const { host, accounts } = site.odoo;
    const program = await findOdooProgram(host, accounts, services?.units ?? [], installation.conf);
    const major = majorOf(this.#source.odooVersion?.replace(/^saas~/, ''));
    if (!program && major !== undefined && major >= 16) {
      this.#warnings.push(
        'The host has no program odoo that knows neutralize: scheduled actions and mail servers are switched off, what else the modules would switch off (payments, deliveries) is not',
      );
    }
    return program && { ...program, ...(await site.odooEnvironment()) };
  }

  /** How many times as large as its dump the database is: about once where pg_dump has not compressed the dump. */
  #growth(): number {
    const { dump, receipt } = this.#source;
    return receipt?.format === 'dual' || (dump.kind === 'plain' && !dump.packed) ? 1 : GROWTH;
  }

  async #space(databaseBytes: number, filestoreBytes: number): Promise<Space> {
    const space = await checkSpace(this.#target, this.#source.dump, databaseBytes, filestoreBytes);
    for (const { message, hint } of space.problems) this.#problem(message, hint);
    return space;
  }

  async #checkRights(owner: string): Promise<void> {
    const { admin, database } = this.#target;
    const [isStandby] = await runSql(admin, MAINTENANCE_DATABASE, sql`SELECT pg_is_in_recovery()`);
    if (isStandby === 't') {
      this.#problem(
        'The PostgreSQL server is a standby, on which nothing can be written',
        'Set db-host and db-port to the primary.',
      );
    }
    const missing = await missingRights(admin, owner, database);
    for (const right of missing) {
      this.#problem(right, 'Give the role that right, or name a role that has it in db-admin-user.');
    }
    if (missing.length === 0) this.#passed.push(`${admin.role} may create and rename databases of ${owner}`);
  }

  async #checkRoles(keepOwnership: boolean): Promise<void> {
    if (!keepOwnership) return;
    const roles = this.#source.description?.roles ?? [];
    const missing = await missingRoles(this.#target.admin, roles);
    if (missing.length === 0) {
      if (roles.length > 0) this.#passed.push(`the roles of the backup are there: ${roles.join(', ')}`);
      return;
    }
    this.#problem(
      `The backup gives things or rights to roles that the server does not have: ${missing.join(', ')}`,
      `Create them: ${missing.map((role) => `CREATE ROLE "${role}" NOLOGIN`).join('; ')}`,
    );
  }

  /** A superuser loads a dump only where it owns the database: then there is nothing to gain for who made the dump. */
  async #checkTrust(login: Postgres, owner: string): Promise<void> {
    if (this.#problems.length > 0 || !(await isSuperRole(login, login.login))) return;
    this.#warnings.push(
      `The database belongs to ${owner}, a superuser, who loads the dump: code in it could do anything on the database server. A role of its own for Odoo, without SUPERUSER, is better`,
    );
  }

  /** What the login that loads the dump does not do itself. */
  async #adminActions(
    login: Postgres,
    extensions: readonly Extension[],
    traits: DatabaseTraits,
  ): Promise<string[]> {
    const { admin } = this.#target;
    if (admin.login === login.login) return [];
    const trusted = await trustedExtensions(admin);
    const names = extensions.map(({ name }) => name).filter((name) => name !== 'plpgsql');
    const formerOwner = this.#source.description?.postgres.owner;
    const byAdmin = extensions.filter(
      ({ name, owner }) =>
        name !== 'plpgsql' &&
        (!trusted.has(name) || (owner !== undefined && formerOwner !== undefined && owner !== formerOwner)),
    );
    const state = this.#source.receipt && this.#source.description?.extensionState;
    return [
      'create the database, and later rename it',
      ...byAdmin.map(({ name }) => `create the extension ${name}`),
      ...(names.includes('unaccent') ? ['mark the function unaccent IMMUTABLE'] : []),
      ...(state && state.sequences.length > 0
        ? [`set ${state.sequences.length} sequences of extensions`]
        : []),
      ...(state?.privileges ?? []).map(
        ({ granted, privilege, object, role }) =>
          `${granted ? 'grant' : 'revoke'} ${privilege} on ${object} ${granted ? 'to' : 'from'} ${role ?? 'everybody'}, as far as a backup may say so`,
      ),
      ...(traits.settings.length > 0
        ? ['give the settings that its owner may not, as far as a backup may say so']
        : []),
    ];
  }

  /** A copy goes without what only a superuser may make; a rollback is to bring back everything. */
  async #checkToc(
    login: Postgres,
    loader: Postgres | undefined,
    extensions: readonly Extension[],
    keepOwnership: boolean,
  ): Promise<Unloadable> {
    const toc = loader && (await this.#attempt(() => readToc(this.#source.dump, loader)));
    if (!toc) return NOTHING_UNLOADABLE;
    await this.#attempt(() => assertHoldsRows(toc, this.#source.uri));
    const superuser = await isSuperuser(login);
    const rights = { login: login.login, superuser, strangers: superuser ? [] : await strangersTo(login) };
    const made = extensions.map(({ schema }) => schema);
    const found = unloadable(toc, rights, keepOwnership, made);
    if (this.#request.inPlace) {
      this.#problems.push(...tocProblems(found, rights));
      return NOTHING_UNLOADABLE;
    }
    if (found.superusers.length > 0) {
      this.#warnings.push(
        `The copy goes without what only a superuser may make: ${found.superusers.join(', ')}. An admin can make it there`,
      );
    }
    return found;
  }

  async #checkSlots(): Promise<readonly LogicalSlot[]> {
    const { admin, current, database } = this.#target;
    if (!current) return [];
    const slots = await logicalSlots(admin, database);
    if (slots.length > 0 && !this.#request.dropSlots) {
      const names = slots.map(({ name, active }) => (active ? `${name} (in use)` : name)).join(', ');
      this.#problem(
        `Logical replication slots belong to the database ${database}, and go with it when it is replaced: ${names}`,
        'What reads from them has to begin anew, from the restored database. If that is right, set drop-slots: true; or drop them first: SELECT pg_drop_replication_slot(…).',
      );
    }
    return slots;
  }

  async #checkMount(): Promise<void> {
    const { filestore } = this.#target;
    if (!filestore?.exists || !this.#source.filestore || !(await isMountPoint(filestore))) return;
    this.#problem(
      `filestore: ${filestore.path} is a mount of its own, which cannot be renamed: the new filestore could not take its place`,
      `Mount the folder above it instead, ${dirname(filestore.path)}, with the filestore as a folder in it; or set filestore: false, and the database alone is put back.`,
    );
  }

  async #checkLocales(traits: DatabaseTraits): Promise<void> {
    const { admin } = this.#target;
    await this.#attempt(() => localeClauses(traits, admin.version));
    const missing = await missingLocales(admin, traits);
    if (missing.length === 0) return;
    this.#problem(
      `The database server does not have the locale of the backup’s database: ${missing.join(', ')}`,
      `Generate it there, then restart PostgreSQL: locale-gen ${missing.join(' ')}`,
    );
  }

  async #checkExtensions(
    postgres: Postgres,
    extensions: readonly Extension[],
    given: AdminGrants,
  ): Promise<void> {
    const { admin, database } = this.#target;
    const unaccent = extensions.some(({ name }) => name === 'unaccent');
    if (unaccent && !(await mayMarkImmutable(postgres, admin))) {
      this.#warnings.push(
        `${admin.role} may not mark unaccent IMMUTABLE, as Odoo marks it: if the backup has an index on it, that cannot be restored. A superuser may: db-admin-user`,
      );
    }
    const problems = await extensionProblems(postgres, admin, extensions, given.extensions);
    const names = extensions.map(({ name }) => name).filter((name) => name !== 'plpgsql');
    if (problems.length === 0 && names.length > 0) {
      this.#passed.push(`its extensions can be made: ${names.join(', ')}`);
    }
    for (const { extension, problem } of problems) {
      if (problem === 'absent') {
        this.#problem(
          `The extension ${extension} of the backup is not installed on the database server`,
          `Install its package there, such as ${packageOf(extension, postgres.version.major)}.`,
        );
      } else if (problem === 'refused') {
        this.#problem(
          `The extension ${extension} is not created by ${admin.role} because a backup says so: it can give the owner of a database more than the database`,
          `If it is right, let an admin create it beforehand in the database that is replaced: CREATE DATABASE ${database} (where there is none; then set replace: true for the command restore), and in it CREATE EXTENSION ${extension}.`,
        );
      } else {
        this.#problem(
          `The role ${admin.role} may not create the extension ${extension}`,
          'Name a superuser in db-admin-user.',
        );
      }
    }
  }

  /** A real run holds the lock by now. */
  async #checkLock(): Promise<void> {
    if (!this.#request.dryRun) return;
    const problem = await this.#attempt(() => lockProblem(this.#target.admin, this.#target.database));
    if (problem) this.#problem(problem.message, problem.hint);
  }

  #checkSessions(sessions: readonly SessionGroup[]): void {
    const staying = sessions.filter(({ mayEnd }) => !mayEnd).map(sessionName);
    if (staying.length === 0) return;
    this.#problem(
      `Sessions that ${this.#target.admin.role} may not end would hold up the swap: ${staying.join(', ')}`,
      'Disconnect them, or set db-admin-user to a role that may end their sessions.',
    );
  }
}

/** `odoo (odoo-1234)` */
export const sessionName = ({ role, application }: SessionGroup): string =>
  application === '' ? role : `${role} (${application})`;

export const bytesOf = (files: Iterable<{ readonly size: number }>): number => {
  let sum = 0;
  for (const { size } of files) sum += size;
  return sum;
};

/** What the new filestore takes on the disk: hard links take nothing. */
export const filestoreBytes = (difference: Difference | undefined): number =>
  bytesOf([...(difference?.missing ?? []), ...(difference?.copied ?? [])]);
