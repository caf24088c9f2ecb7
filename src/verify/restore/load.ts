import { CommandError } from '../../host/host.ts';
import { analyze } from '../../postgres/analyze.ts';
import { createExtensions } from '../../postgres/extensions/create.ts';
import { type Dump, loadDump } from '../../postgres/load.ts';
import type { Postgres } from '../../postgres/server.ts';
import type { Extension } from '../../postgres/traits.ts';
import { ContentError, UserError } from '../../util/errors.ts';
import type { TestServer } from './servers/server.ts';

/**
 * Restores a dump into a scratch database, as a restore of this tool would.
 *
 * @param loader with a pg_restore that reads the dump
 * @returns seconds it took
 * @throws ContentError when the dump cannot be restored; another error when this server is the reason
 */
export async function loadScratch(
  server: TestServer,
  loader: Postgres,
  database: string,
  dump: Dump,
  extensions: readonly Extension[],
  signal: AbortSignal,
): Promise<number> {
  const started = performance.now();
  const { app, admin, owner, also, tools, jobs } = server;
  const creation = { sameVersions: false, formerOwner: undefined, also };
  const { schemas } = await createExtensions(app, admin, database, owner, extensions, creation);
  try {
    const options = { tools, jobs, schemas, keepOwnership: false, signal };
    await loadDump(loader, database, dump, options);
    await analyze(app, database, jobs, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw judged(error, server);
  }
  return (performance.now() - started) / 1000;
}

/** What PostgreSQL says where the dump is not to blame. */
const OF_THE_SERVER = [
  /permission denied|must be (owner|superuser|a member|able to)|marked IMMUTABLE/i,
  /No space left|could not (extend|resize|write to) |out of (shared )?memory/i,
  /extension "[^"]*" is not available|could not (access|open extension control) file|language "[^"]*" does not exist/i,
  /could not connect|connection (to server|refused|lost)|server closed the connection|terminating connection/i,
  /the database system is |unrecognized configuration parameter/i,
];

/** Of an error, whether the archive has failed or only this test of it. */
function judged(error: unknown, { label }: TestServer): unknown {
  const cause = error instanceof UserError ? error.cause : error;
  if (!(cause instanceof CommandError)) return error;
  const { signal, stderr } = cause.exit;
  if (signal !== undefined || OF_THE_SERVER.some((pattern) => pattern.test(stderr))) {
    const hint = error instanceof UserError ? error.hint : 'See the log of the PostgreSQL server.';
    return new UserError(
      `The restore test could not be done on ${label}, which says nothing about the archive. ${cause.message}`,
      `${hint} Or restore elsewhere: restore-test takes runner, host, and the URL of a service container.`,
      { cause },
    );
  }
  return new ContentError(
    `The dump cannot be restored. ${withoutContent(cause)}`,
    'Make another backup, and find out what happened to this one: do not restore from it.',
    { cause },
  );
}

/**
 * What a program says of an error, for the receipt: the details that follow may quote rows, and so may what stands in
 * quotes at its end (`invalid input syntax for type integer: "…"`).
 */
function withoutContent({ message, exit: { stderr } }: CommandError): string {
  const said = /(?:ERROR|FATAL): +(.*)/.exec(stderr)?.[1] ?? /error: (.*)/.exec(stderr)?.[1];
  return said?.replace(/: ".*$/, '') ?? message.split('\n', 1).join();
}
