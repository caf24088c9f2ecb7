import type { DatabaseResult } from '../backup/databases-summary.ts';
import type { HostTools } from '../host/tools.ts';
import { NotOdooError } from '../odoo/database.ts';
import { LogInTurn } from '../platform/in-turn.ts';
import { Phases } from '../platform/phases.ts';
import type { Run } from '../platform/run.ts';
import { messageOf, UserError } from '../util/errors.ts';
import { collectSooner } from '../util/garbage-collection.ts';

/**
 * Backups at once, for the sake of memory: each holds what S3 has not taken yet, though they share the memory for parts,
 * and what it has read ahead.
 */
const MOST_AT_ONCE = 2;

/** What a backup among others is told, and tells. */
export interface Alongside {
  /** To be called once the host is known. */
  readonly onHost: (tools: Pick<HostTools, 'cores'>) => void;
  /** Runs what takes the whole host, or much memory: one at a time. */
  readonly alone: <T>(work: () => Promise<T>) => Promise<T>;
  /** How many backups are under way at once, once the host is known. */
  readonly sharing: () => number;
}

/** A backup that is the only one. */
export const onItsOwn: Alongside = { onHost: () => {}, alone: (work) => work(), sharing: () => 1 };

/** Backs up one database. @returns undefined after a dry run */
type BackUp = (
  database: string,
  run: Run,
  alongside: Alongside,
) => Promise<Pick<DatabaseResult, 'receipt' | 'pruned'> | undefined>;

/**
 * Backs up several databases: the first one by itself until it knows how many cores the host has, then as many at once.
 * The log has one after the other. If one fails, the others are backed up nevertheless.
 *
 * @param found whether nobody has named the databases. They belong to Odoo's role, but may not be databases of Odoo
 * @returns a result for each database of Odoo, in the order of the names
 * @throws the signal's reason when that is aborted, once no backup is under way
 */
export async function backUpDatabases(
  names: readonly string[],
  found: boolean,
  run: Run,
  backUp: BackUp,
): Promise<DatabaseResult[]> {
  const { signal, platform } = run;
  const log = new LogInTurn(platform);
  const results: (DatabaseResult | undefined)[] = [];
  const waiting = names.entries();
  const atOnce = Promise.withResolvers<number>();
  let sharing = 1;
  const alongside: Alongside = {
    onHost: ({ cores }) => {
      sharing = Math.min(cores, MOST_AT_ONCE, names.length);
      atOnce.resolve(sharing);
    },
    alone: oneByOne(),
    sharing: () => sharing,
  };
  const work = async (): Promise<void> => {
    for (const [i, database] of waiting) {
      if (signal.aborted) return;
      const turn = log.next();
      const inTurn = { ...run, platform: turn.platform, phases: new Phases(turn.platform) };
      turn.platform.info(`Database ${i + 1} of ${names.length}: ${database}`);
      try {
        results[i] = { database, ...(await backUp(database, inTurn, alongside)) };
      } catch (error) {
        if (!signal.aborted) results[i] = failed(database, error, found, inTurn);
      } finally {
        turn.end();
      }
    }
  };
  const first = work();
  // If the first one never gets to know its host, the others follow it one by one.
  const most = await Promise.race([atOnce.promise, first.then(() => 1)]);
  if (most > 1) collectSooner();
  await Promise.all([first, ...Array.from({ length: most - 1 }, work)]);
  await log.printed;
  signal.throwIfAborted();
  return results.filter((result) => result !== undefined);
}

/** Tells of a failure. @returns undefined where the database is none of Odoo's, and nobody has said so */
function failed(
  database: string,
  error: unknown,
  found: boolean,
  { platform }: Run,
): DatabaseResult | undefined {
  if (found && error instanceof NotOdooError) {
    platform.notice(`${database} is left out: Odoo was never initialised in it`);
    return undefined;
  }
  const hint = error instanceof UserError ? ` ${error.hint}` : '';
  platform.warning(`${database} could not be backed up: ${messageOf(error)}.${hint}`);
  return { database, error };
}

/** Runs what it is given one after the other. */
function oneByOne(): Alongside['alone'] {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const done = last.then(work);
    last = done.catch(() => {});
    return done;
  };
}
