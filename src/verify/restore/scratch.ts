import { inTime } from '../../host/limits.ts';
import type { Platform } from '../../platform/platform.ts';
import { type CreationTraits, createDatabase, localeClauses } from '../../postgres/create-database.ts';
import { dropDerivedDatabase } from '../../postgres/drop-database.ts';
import { LOCALE_REFUSED, SqlError } from '../../postgres/sql-error.ts';
import { reserveName } from '../../postgres/temporary-databases.ts';
import type { PgVersion } from '../../postgres/version.ts';
import { messageOf, UserError } from '../../util/errors.ts';
import type { TestServer } from './servers/server.ts';

/** How long the drop of a scratch database may take, also after the run was cancelled. */
const DROP_LIMIT_MS = 10 * 60_000;

/** A database for one test. Dropped when it is disposed of. */
export interface Scratch extends AsyncDisposable {
  readonly database: string;
  /** What it could not be given of the backup's traits, for people. */
  readonly differs: readonly string[];
}

/**
 * Makes an empty database, `prod__test_20261121034100`. A lock is held on it for as long as it is in use, so that the
 * next test can tell what a killed one has left from what another one is using.
 *
 * @param of whose backup is tested
 * @throws UserError when the role may not, or the server cannot make one of that encoding
 */
export async function createScratch(
  server: TestServer,
  of: string,
  traits: CreationTraits,
  platform: Platform,
): Promise<Scratch> {
  const { admin, owner, label } = server;
  await using resources = new AsyncDisposableStack();
  const { name, lock } = await reserveName(admin, of, 'test');
  resources.use(lock);
  // Also when its creation fails half-way: that the connection broke does not mean that it is not there.
  resources.defer(async () => {
    try {
      await inTime(DROP_LIMIT_MS, () => dropDerivedDatabase(admin, name, of));
    } catch (error) {
      platform.warning(`${name} is left on ${label}, and the next test drops it: ${messageOf(error)}`);
    }
  });
  const differs = await createAsFarAsPossible(server, name, owner, traits);
  const kept = resources.move();
  return { database: name, differs, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/**
 * The locales of a machine are its own: where it lacks the backup's, one that sorts by code points takes its place, in
 * the same encoding. That changes no row.
 */
async function createAsFarAsPossible(
  { admin, label }: TestServer,
  name: string,
  owner: string,
  traits: CreationTraits,
): Promise<string[]> {
  const wanted = [...new Set([traits.collate, traits.ctype, traits.locale])].filter((each) => each !== null);
  const plain = { encoding: traits.encoding, localeProvider: 'libc', locale: null };
  const candidates: CreationTraits[] = [
    ...(isKnown(traits, admin.version) ? [traits] : []),
    { ...plain, collate: 'C', ctype: 'C.UTF-8' },
    { ...plain, collate: 'C', ctype: 'C' },
  ];
  let failure: unknown;
  for (const each of candidates) {
    try {
      await createDatabase(admin, name, owner, each);
      return each === traits
        ? []
        : [`The scratch database has the locale ${each.ctype}: ${label} lacks ${wanted.join(', ')}`];
    } catch (error) {
      if (!isAboutLocale(error)) throw error;
      failure = error;
    }
  }
  throw failure;
}

function isKnown(traits: CreationTraits, version: PgVersion): boolean {
  try {
    localeClauses(traits, version);
    return true;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

function isAboutLocale(error: unknown): boolean {
  const cause = error instanceof UserError ? error.cause : undefined;
  return cause instanceof SqlError && LOCALE_REFUSED.has(cause.sqlState);
}
