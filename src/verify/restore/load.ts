import { entryAsPlain } from '../../backup-reader/plain-dump.ts';
import { CommandError } from '../../host/host.ts';
import { analyze } from '../../postgres/analyze.ts';
import { handOver } from '../../postgres/create-database.ts';
import { createExtensions } from '../../postgres/extensions/create.ts';
import { loadDump } from '../../postgres/load.ts';
import { LoadError } from '../../postgres/load-errors.ts';
import type { Dump } from '../../postgres/loadable-dump.ts';
import type { Postgres } from '../../postgres/server.ts';
import { isAboutContent, NOT_FOUND, SQL_STATE } from '../../postgres/sql-states.ts';
import { superuserObject } from '../../postgres/superuser-objects.ts';
import type { Extension } from '../../postgres/traits.ts';
import { ContentError, UnrestorableError, UserError } from '../../util/errors.ts';
import type { TestServer } from './servers/server.ts';

/**
 * Restores a dump into a scratch database, as a restore of this tool would.
 *
 * @param into the scratch database; the login that loads it, with a pg_restore that reads the dump
 * @returns seconds it took
 * @throws ContentError when the dump is proven to be damaged; an UnrestorableError when its database is proven to be
 * what PostgreSQL refuses; another error when nothing is proven, such as a SpaceGoneError
 */
export async function loadScratch(
  server: TestServer,
  { database, loader }: { readonly database: string; readonly loader: Postgres },
  { dump, extensions }: { readonly dump: Dump; readonly extensions: readonly Extension[] },
  signal: AbortSignal,
): Promise<number> {
  const started = performance.now();
  const { app, admin, owner, also, tools, jobs } = server;
  const { whileSpaceLasts = (runs, body) => body(runs) } = server;
  const creation = { sameVersions: false, formerOwner: undefined, also };
  const { schemas } = await createExtensions({ app, admin, database, owner }, extensions, creation);
  await handOver(admin, database, owner);
  try {
    const options = { tools, jobs, schemas, keepOwnership: false, asPlain: entryAsPlain };
    await whileSpaceLasts(signal, async (runs) => {
      await loadDump(loader, database, dump, { ...options, signal: runs });
      await analyze(app, database, jobs, runs);
    });
  } catch (error) {
    signal.throwIfAborted();
    throw judged(error, server);
  }
  return (performance.now() - started) / 1000;
}

/**
 * What the end of a load says of the archive. That it failed proves nothing: the connection, the server, its disk or
 * the rights of the role may be the reason.
 */
function judged(error: unknown, server: TestServer): unknown {
  if (error instanceof LoadError) {
    if (error.saysDamaged) {
      return new ContentError(
        `The dump cannot be restored. ${withoutContent(error.cause)}`,
        'Make another backup, and find out what happened to this one. Do not restore from it.',
        { cause: error.cause },
      );
    }
    const reason = reasonInDatabase(error);
    if (reason) return unrestorable(reason, error.cause);
  }
  const cause = error instanceof UserError ? error.cause : error;
  return cause instanceof CommandError ? notFoundOut(error, cause, server) : error;
}

function notFoundOut(error: unknown, cause: CommandError, { label }: TestServer): UserError {
  const hint = error instanceof UserError ? error.hint : 'See the log of the PostgreSQL server.';
  return new UserError(
    `The restore test could not run on ${label}, which says nothing about the archive. ${cause.message}`,
    `${hint} Or restore elsewhere: restore-test takes runner, host, and the URL of a service container.`,
    { cause },
  );
}

interface Obstacle {
  readonly why: string;
  readonly hint: string;
}

const unrestorable = ({ why, hint }: Obstacle, cause: CommandError): UnrestorableError =>
  new UnrestorableError(`This database cannot be restored as it is, because ${why}`, hint, { cause });

/** Why the database itself is what cannot be loaded; undefined: that is not proven. */
function reasonInDatabase({ problem, inFunction, cause }: LoadError): Obstacle | undefined {
  const { sqlState, at = '' } = problem;
  if (sqlState === undefined) return undefined;
  if (inFunction && NOT_FOUND.has(sqlState)) {
    return {
      why: `a function in it uses a name without its schema, which a restore does not find: ${withoutContent(cause)}`,
      hint: 'In the database that Odoo uses, give the function a path (ALTER FUNCTION … SET search_path = public), or write the schema before the names in it; then make another backup.',
    };
  }
  const special = superuserObject(at);
  if (sqlState === SQL_STATE.insufficientPrivilege && special !== undefined) {
    return {
      why: `it contains objects that only a superuser can create: ${special}`,
      hint: 'In the database that Odoo uses, drop what Odoo does not need, or keep the commands that make it, for a superuser to run after a restore.',
    };
  }
  if (isAboutContent(sqlState)) {
    return {
      why: `PostgreSQL refuses what it holds: ${withoutContent(cause)}`,
      hint: 'The archive is whole, and so another backup would be the same: repair the database that Odoo uses (REINDEX finds rows that break a unique index), then make another one.',
    };
  }
  return undefined;
}

/**
 * What a program says of an error, for the receipt: the details that follow may quote rows, and so may what stands in
 * quotes at its end (`invalid input syntax for type integer: "…"`). libpq puts two spaces behind the severity, which is
 * in the server's language.
 */
function withoutContent({ message, exit: { stderr } }: CommandError): string {
  const said =
    /^(?:psql:[^:\n]*:\d+|pg_restore: error): (?:[^\n]*: )?[^:\n]+: {2}(.*)/m.exec(stderr)?.[1] ??
    /error: (.*)/.exec(stderr)?.[1];
  return said?.replace(/: ?["«“„].*$/, '') ?? message.split('\n', 1).join();
}
