import { count, type Decoded, object } from '../util/decode.ts';
import { UserError } from '../util/errors.ts';
import { formatCount } from '../util/format.ts';
import { sql } from './sql.ts';

export const decodeLockRoom = object({
  /** Tables, sequences and views: pg_dump locks each until it ends. */
  needed: count,
  /** `max_locks_per_transaction`. */
  perTransaction: count,
  /** Transactions that the server has room for. */
  transactions: count,
});

/** How many locks a server has, and how many of them pg_dump takes. */
export interface LockRoom extends Decoded<typeof decodeLockRoom> {}

/** Query: the one row of `decodeLockRoom`. */
export const LOCK_ROOM = sql`SELECT (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relkind IN ('r', 'p', 'S', 'v', 'm') AND nspname <> 'information_schema' AND nspname !~ '^pg_') AS needed,
  current_setting('max_locks_per_transaction')::int AS "perTransaction",
  (SELECT sum(setting::int) FROM pg_settings WHERE name IN ('max_connections', 'max_prepared_transactions',
    'autovacuum_max_workers', 'max_worker_processes', 'max_wal_senders')) AS transactions`;

/** Share of all locks that pg_dump may take before Odoo is at risk. */
const SHARE = 0.5;

/**
 * Whether a dump would take so many locks that it fails, or Odoo's own transactions do: `out of shared memory`
 * (https://www.postgresql.org/docs/current/runtime-config-locks.html).
 *
 * @returns what is to be said where that is near; undefined: there is room enough
 * @throws UserError where the server has fewer locks than the dump needs
 */
export function checkLockRoom({ needed, perTransaction, transactions }: LockRoom): string | undefined {
  const all = perTransaction * transactions;
  if (needed <= all * SHARE) return undefined;
  const enough = Math.ceil(needed / SHARE / transactions / 64) * 64;
  const what = `pg_dump locks ${formatCount(needed)} tables, sequences and views at once, and the server has about ${formatCount(all)} locks for everybody (max_locks_per_transaction = ${perTransaction})`;
  if (needed <= all) return `${what}: Odoo may be left without. Set it to ${enough}, and restart PostgreSQL.`;
  throw new UserError(
    what,
    `Set max_locks_per_transaction = ${enough} in postgresql.conf, and restart PostgreSQL.`,
  );
}
