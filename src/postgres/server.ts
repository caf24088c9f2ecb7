import type { Command, Host } from '../host/host.ts';
import type { PostgresClient } from '../host/tools.ts';
import { messageOf, UserError } from '../util/errors.ts';
import {
  clientCommand,
  type DatabaseSettings,
  isLoopback,
  isSocket,
  overTcp,
  passwordLine,
  portOf,
  psqlCommand,
  whereOf,
} from './access.ts';
import { type ClientSide, type FoundServer, findServer } from './find-server.ts';
import { EXTENSION_SEARCH_PATH, runPsql, SEARCH_PATH, sessionSettings, setStatement } from './psql.ts';
import { Questions } from './questions.ts';
import { PsqlSession } from './session.ts';
import { MAINTENANCE_DATABASE, type Sql, sql } from './sql.ts';
import type { PgVersion } from './version.ts';

/** The PostgreSQL server of a host, and the client programs to use with it. */
export class Postgres {
  /** Where its client programs run. */
  readonly at: ClientSide;
  /** Version of the server. */
  readonly version: PgVersion;
  readonly client: PostgresClient;
  readonly #found: FoundServer;
  #searchPath = SEARCH_PATH;
  /** The role that its sessions take after they have logged in as another. */
  #role: string | undefined;
  /** By their databases. */
  readonly #questions: Map<string, Questions>;

  private constructor(at: ClientSide, found: FoundServer, questions = new Map<string, Questions>()) {
    this.at = at;
    this.#found = found;
    this.#questions = questions;
    this.version = found.version;
    this.client = found.client;
  }

  /** Finds a way into the server, and the client programs that fit it. @throws UserError as `findServer` does */
  static async connect(at: ClientSide, settings: DatabaseSettings, database: string): Promise<Postgres> {
    return new Postgres(at, await findServer(at, settings, database));
  }

  get host(): Host {
    return this.at.host;
  }

  /** Who is connected as whom, for the log: `role odoo`, `role odoo, as account odoo by sudo`. Root needs no sudo. */
  get identity(): string {
    const { as, user } = this.#found.route;
    const by = this.host.user === 'root' ? '' : ' by sudo';
    return `role ${user}${as === undefined ? '' : `, as account ${as}${by}`}`;
  }

  /** The role that inputs and odoo.conf name: Odoo's own, though a superuser may be the one who is connected. */
  get role(): string {
    return this.#found.settings.user;
  }

  /** The role that is logged in: the one that inputs and odoo.conf name, or `postgres` in its place. */
  get login(): string {
    return this.#found.route.user;
  }

  /** Whether the role that logs in is a superuser. */
  get isSuperuser(): boolean {
    return this.#found.isSuperuser;
  }

  /** Whether a superuser has logged in for a database of somebody else: the one that was named when it was found. */
  get isForeignSuperuser(): boolean {
    return this.#found.isForeignSuperuser;
  }

  /** The account that runs the client programs, for `Command.as`. */
  get account(): string | undefined {
    return this.#found.route.as;
  }

  /** Reached without leaving the host. In a container it may still have a file system of its own. */
  get isLocal(): boolean {
    return isSocket(this.#found.settings) || isLoopback(this.#found.settings);
  }

  get port(): number {
    return portOf(this.#found.settings);
  }

  /** The same server, reached by other client programs. Its questions go by the sessions that there are. */
  withClient(client: PostgresClient): Postgres {
    const same = this.#role === undefined && this.#searchPath === SEARCH_PATH;
    return new Postgres(this.at, { ...this.#found, client }, same ? this.#questions : undefined);
  }

  /** The same login, whose sessions are to begin otherwise. */
  #copy(): Postgres {
    return new Postgres(this.at, this.#found);
  }

  /**
   * The same server as another role: by peer authentication over its socket, by what else pg_hba.conf allows, or by
   * the account's own ~/.pgpass.
   *
   * @param password of the role, where it is known
   * @throws UserError when the role is not let in
   */
  async asRole(role: string, password?: string): Promise<Postgres> {
    const settings = { ...this.#found.settings, user: role, password };
    const viaSocket = isLoopback(settings) ? [{ ...settings, host: undefined }] : [];
    let failure: unknown;
    for (const each of [...viaSocket, settings]) {
      try {
        const other = await Postgres.connect(this.at, each, MAINTENANCE_DATABASE);
        const isThis = (await startedAt(other)) === (await startedAt(this));
        if (isThis && other.login === role) return other;
        failure = new Error(
          isThis
            ? `Only ${other.identity} is let in`
            : `There is another PostgreSQL server at ${whereOf(each)}`,
        );
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        failure = error;
      }
    }
    throw new UserError(
      `db-admin-user: PostgreSQL does not let in the role ${role}. ${messageOf(failure)}`,
      overTcp(settings)
        ? `There is no input for its password: ${passwordLine(settings, this.host)}`
        : `Let it in by peer authentication, or put its password into ~/.pgpass of ${this.host.user}. ${this.at.accounts.sudoersHint([role])}`,
      { cause: failure },
    );
  }

  /** The same, with sessions that find what other extensions have in `public` (`EXTENSION_SEARCH_PATH`). */
  creatingExtensions(): Postgres {
    const other = this.#copy();
    other.#searchPath = EXTENSION_SEARCH_PATH;
    other.#role = this.#role;
    return other;
  }

  /**
   * The same, with sessions that make what they make in the name of another role. That is no boundary: only for a
   * database in which nothing is anybody's yet.
   */
  inRole(role: string): Postgres {
    const other = this.#copy();
    other.#role = role;
    return other;
  }

  /** A psql that runs the statements of ours which it reads (`psqlScript`). */
  psql(database: string): Command {
    const session = { ...this.#sessionSettings, search_path: this.#searchPath };
    return psqlCommand(this.#found, database, session);
  }

  /** Questions to a database, by a session that they share. */
  questionsIn(database: string): Questions {
    const kept = this.#questions.get(database);
    if (kept) return kept;
    // In a database that is to be renamed or dropped, nothing may stay for long.
    const keptMs = database === MAINTENANCE_DATABASE ? 1000 : 100;
    const questions = new Questions(() => this.openSession(database), keptMs);
    this.#questions.set(database, questions);
    return questions;
  }

  /** A psql that stays open. */
  async openSession(database: string): Promise<PsqlSession> {
    const session = await PsqlSession.start(this.host, this.psql(database));
    session.begin(...this.firstStatements);
    return session;
  }

  get #sessionSettings(): Readonly<Record<string, string>> {
    return { ...sessionSettings(this.version), ...(this.#role === undefined ? {} : { role: this.#role }) };
  }

  /** Statements that a session of ours begins with: its settings, where it could not start with them. */
  get firstStatements(): readonly Sql[] {
    return this.isPooled ? [setStatement(this.#sessionSettings)] : [];
  }

  /** Reached through a connection pooler such as pgbouncer. */
  get isPooled(): boolean {
    return this.#found.route.pooled === true;
  }

  /** A command that runs one of PostgreSQL's client programs on a database. */
  command(program: string, args: readonly string[], database: string): Command {
    return clientCommand(this.#found, program, args, database);
  }

  /** A command by which pg_restore reads a dump and asks no server: it gets no password. */
  reading(args: readonly string[]): Command {
    return { ...this.command('pg_restore', args, ''), secretEnv: undefined };
  }
}

/** Start time of the server, to the microsecond: tells one server from another. */
function startedAt(postgres: Postgres): Promise<string> {
  const query = sql`SELECT extract(epoch FROM pg_postmaster_start_time())`;
  return runPsql(postgres.host, postgres.psql(MAINTENANCE_DATABASE), ...postgres.firstStatements, query);
}
