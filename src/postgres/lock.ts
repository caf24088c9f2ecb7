import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError } from '../host/host.ts';
import { unlimited, wait } from '../host/limits.ts';
import { inOrder } from '../util/begun.ts';
import { UserError } from '../util/errors.ts';
import { APPLICATION_NAME } from './psql.ts';
import { runSql } from './run-sql.ts';
import type { Postgres } from './server.ts';
import type { PsqlSession } from './session.ts';
import { MAINTENANCE_DATABASE, type Sql, sql } from './sql.ts';

/** The lock cannot be taken, whoever holds it: the role may not enter the maintenance database. */
export class NoLockError extends UserError {
  override readonly name = 'NoLockError';
}

/** Somebody else holds the lock. */
export class HeldLockError extends UserError {
  override readonly name = 'HeldLockError';
  /** Its purpose: `rollback, run 123 of acme/odoo`; undefined: it has just let it go. */
  readonly holder: string | undefined;

  constructor(message: string, hint: string, holder: string | undefined) {
    super(message, hint);
    this.holder = holder;
  }
}

/** Keeps other backups and restores of a database away until it is disposed of, or its session ends. */
export interface Lock extends AsyncDisposable {
  /** @throws UserError when the lock was lost: the server was restarted, or somebody ended the session */
  assertHeld(): Promise<void>;
  /**
   * Takes it again where it was lost, as with the connection to the host.
   *
   * @returns whether it was lost: another run may have had it meanwhile
   * @throws HeldLockError when another run has it now
   */
  regain(): Promise<boolean>;
}

/**
 * Takes the lock of one database: an advisory lock of the server, held by a session that stays open and gone when
 * that ends, however it does (https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS). The
 * session is in the maintenance database: in the locked one it would block its rename.
 *
 * @param purpose who holds it, for those that have to wait; PostgreSQL keeps the first 63 bytes: `rollback, run 123 of
 * acme/odoo`
 * @throws HeldLockError naming who holds it, when somebody does; NoLockError
 */
export async function acquireLock(postgres: Postgres, database: string, purpose: string): Promise<Lock> {
  const key = lockKey(database);
  const isHeld = sql`SELECT 'held' FROM pg_locks WHERE pid = pg_backend_pid() AND ${key.condition}`;
  let holding = await takeLock(postgres, { database, key, purpose });
  return {
    async assertHeld() {
      const [answer] = await wait(holding.session.lines(isHeld).catch(lost(database)));
      if (answer !== 'held') lost(database)(undefined);
    },
    async regain() {
      const [answer] = await wait(holding.session.lines(isHeld)).catch(() => []);
      if (answer === 'held') return false;
      await holding.session[Symbol.asyncDispose]();
      await endFormer(postgres, key, holding);
      holding = await takeLock(postgres, { database, key, purpose });
      return true;
    },
    [Symbol.asyncDispose]: () => holding.session[Symbol.asyncDispose](),
  };
}

/** The session that holds a lock, and which one of the server's it is. */
interface Holding {
  readonly session: PsqlSession;
  readonly pid: string;
  readonly since: string;
}

const SINCE = sql`extract(epoch FROM backend_start)::text`;

async function takeLock(
  postgres: Postgres,
  { database, key, purpose }: { readonly database: string; readonly key: LockKey; readonly purpose: string },
): Promise<Holding> {
  const { session, answer = '' } = await openSession(
    postgres,
    purpose,
    sql`SELECT concat_ws(' ', pg_try_advisory_lock(${key.value}), pid, ${SINCE})
       FROM pg_stat_activity WHERE pid = pg_backend_pid()`,
  );
  try {
    const [taken, pid = '', since = ''] = answer.split(' ');
    if (taken !== 't') throw await heldByAnother(session, key, database);
    return { session, pid, since };
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
}

/** How long a session takes to end, at most. */
const ENDING_MS = 10_000;

/** Ends a session that has lost its client, where the host has not noticed yet and it would keep its own run away. */
async function endFormer(postgres: Postgres, key: LockKey, { pid, since }: Holding): Promise<void> {
  const end = sql`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity JOIN pg_locks USING (pid)
    WHERE ${key.condition} AND pid = ${pid}::integer AND ${SINCE} = ${since}`;
  for (const until = Date.now() + ENDING_MS; Date.now() < until; await sleep(50)) {
    const [left] = await runSql(postgres, MAINTENANCE_DATABASE, end);
    if (left === '0') return;
  }
}

/** The error that says who holds the lock of a database, read only; undefined: nobody. @throws NoLockError */
export async function lockProblem(postgres: Postgres, database: string): Promise<UserError | undefined> {
  const key = lockKey(database);
  const isHeld = sql`SELECT EXISTS (SELECT FROM pg_locks WHERE ${key.condition})`;
  const { session, answer } = await openSession(postgres, APPLICATION_NAME, isHeld);
  await using _ = session;
  return answer === 't' ? await heldByAnother(session, key, database) : undefined;
}

/** A session with the answer to its first question, which is asked before the login is answered. */
async function openSession(
  postgres: Postgres,
  purpose: string,
  first: Sql,
): Promise<{ readonly session: PsqlSession; readonly answer: string | undefined }> {
  // It outlasts the run's limit: the lock is held until everything is taken back.
  const session = await unlimited(() => postgres.openSession(MAINTENANCE_DATABASE));
  try {
    const naming = ask(session, sql`SET application_name = ${purpose}`).catch(noLock);
    const [, [answer]] = await inOrder(naming, ask(session, first));
    return { session, answer };
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
}

function noLock(error: unknown): never {
  if (!(error instanceof CommandError)) throw error;
  throw new NoLockError(
    `The lock against other runs cannot be taken in the database ${MAINTENANCE_DATABASE}: ${error.exit.stderr}`,
    `Let the role connect to it: GRANT CONNECT ON DATABASE ${MAINTENANCE_DATABASE} TO <role>, and a line in pg_hba.conf.`,
    { cause: error },
  );
}

/** The session outlasts the run's limit, and what it is asked does not. */
const ask = (session: PsqlSession, query: Sql): Promise<string[]> => wait(session.lines(query));

function lost(database: string): (cause: unknown) => never {
  return (cause) => {
    throw new UserError(
      `The lock on ${database} was lost: its session in PostgreSQL has ended`,
      'Somebody terminated it, or the server was restarted. Run it again.',
      { cause },
    );
  };
}

interface LockKey {
  readonly value: bigint;
  /** Finds it in pg_locks, which shows its two halves. */
  readonly condition: Sql;
}

/** The lock of one database, in the maintenance database. */
export function lockKey(database: string): LockKey {
  const digest = createHash('sha256').update(`odoo-backup:${database}`).digest();
  const halves = sql`classid = ${digest.readUInt32BE(0)} AND objid = ${digest.readUInt32BE(4)}`;
  return {
    value: digest.readBigInt64BE(0),
    condition: sql`locktype = 'advisory' AND objsubid = 1 AND granted AND ${halves}
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  };
}

async function heldByAnother(session: PsqlSession, key: LockKey, database: string): Promise<UserError> {
  // PostgreSQL shows the name of another role's session, but not its time.
  const [holder] = await ask(
    session,
    sql`SELECT json_build_array(application_name, to_char(backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'))
       FROM pg_stat_activity a JOIN pg_locks l USING (pid) WHERE ${key.condition}`,
  );
  const [who, since] = holder ? (JSON.parse(holder) as [string, string | null]) : [undefined, null];
  return new HeldLockError(
    `Another backup or restore of ${database} is running${since ? ` since ${since} UTC` : ''}${who ? `: ${who}` : ''}`,
    'Wait until it has ended, or cancel it. Jobs of one concurrency group (GitHub) or resource_group (GitLab) wait by themselves.',
    who,
  );
}
