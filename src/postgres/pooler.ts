import type { Command, Host } from '../host/host.ts';
import { UserError } from '../util/errors.ts';
import { runPsql } from './psql.ts';
import { PsqlSession } from './session.ts';
import { sql } from './sql.ts';

/** Other clients may use the pooler at the same time, and get a connection in between. */
const ATTEMPTS = 5;

/**
 * Makes sure that a session keeps its connection to the server behind a pooler. pgbouncer's transaction mode gives it
 * to somebody else after each transaction (https://www.pgbouncer.org/features.html): a lock of ours would be theirs
 * then, and a setting as well. Two open sessions with one process of the server prove it, and one session with two.
 *
 * @param psql of the pooler
 * @throws UserError when connections are shared
 */
export async function assertKeepsConnection(host: Host, psql: Command, where: string): Promise<void> {
  const query = sql`SELECT pg_catalog.pg_backend_pid()`;
  await using session = await PsqlSession.start(host, psql);
  const [first] = await session.lines(query);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const [ours] = await session.lines(query);
    const theirs = (await runPsql(host, psql, query)).trim();
    if (ours !== theirs && ours === first) continue;
    throw new UserError(
      `At ${where} is a connection pooler that shares one connection between several clients (pool_mode = transaction): locks and snapshots would not last`,
      'Set db-host and db-port to the PostgreSQL server itself, or give the pooler an entry for this database with pool_mode=session.',
    );
  }
}
