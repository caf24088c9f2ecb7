import type { CommandError } from '../host/host.ts';
import type { HostTools } from '../host/tools.ts';
import { UserError } from '../util/errors.ts';
import type { Postgres } from './server.ts';

/** What PostgreSQL and its programs say when a dump does not load, and what helps. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /role "[^"]*" does not exist/,
    'Create the role on the server (CREATE ROLE … NOLOGIN): the backup gives it things or rights.',
  ],
  [
    /unsupported version .* in file header/,
    'The dump was written by a newer pg_dump: install that client on the host.',
  ],
  [
    /marked IMMUTABLE/,
    'An index uses a function that the backup’s database had marked IMMUTABLE (unaccent?): set db-admin-user to a superuser, who may mark it.',
  ],
  [
    /must be (owner|superuser|able to SET ROLE)|must be (a )?member of role|permission denied/i,
    'The role of Odoo may not do what the dump asks for. Where an extension or a role is the matter, let an admin role prepare it: db-admin-user.',
  ],
  [/No space left on device/i, 'Free disk space on the host.'],
  [
    /backslash commands are restricted/,
    'The dump holds commands of psql, which nobody may run here. Restore a dump in custom format, or one from pg_dump itself.',
  ],
];

/** A dump that did not load, for people. */
export function loadFailure(error: CommandError, database: string): UserError {
  const said = error.exit.stderr;
  const hint = HINTS.find(([pattern]) => pattern.test(said))?.[1];
  return new UserError(
    `The dump cannot be loaded into ${database}. ${error.message}`,
    hint ?? 'The database that Odoo uses was not touched. See the log of the PostgreSQL server.',
    { cause: error },
  );
}

/**
 * The server, by a pg_restore that reads what pg_dump of that major version wrote.
 *
 * @param dumpMajor undefined: it is not known; pg_restore will say so if it cannot read it
 * @throws UserError when the host has none, or the server is too old for it
 */
export function withRestoreClient(
  postgres: Postgres,
  tools: HostTools,
  dumpMajor: number | undefined,
): Postgres {
  const needed = Math.max(dumpMajor ?? 0, Math.floor(postgres.version / 10_000));
  const client = tools.clients
    .filter(({ major }) => major >= needed)
    .toSorted((a, b) => a.major - b.major)[0];
  if (!client) {
    throw new UserError(
      `pg_restore on ${postgres.host.label} is too old: the dump was written by pg_dump ${dumpMajor ?? needed}`,
      `Install that client on the host: apt-get install postgresql-client-${needed}`,
    );
  }
  // From 17 on it begins with SET transaction_timeout, which ends the restore there.
  if (client.major >= 17 && postgres.version < 170_000) {
    throw new UserError(
      `pg_restore ${client.major} cannot restore to PostgreSQL ${postgres.serverVersion}, and the dump needs pg_restore ${needed}`,
      `Install postgresql-client-${Math.floor(postgres.version / 10_000)} on the host before the backup, or restore from the plain SQL of a backup of format dual.`,
    );
  }
  return postgres.withClient(client);
}
