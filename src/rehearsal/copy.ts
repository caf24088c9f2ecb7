import type { RestoreSource } from '../backup-reader/open.ts';
import type { FileSystem } from '../host/disk-space.ts';
import type { OwnedFolder } from '../host/owned-folder.ts';
import { holderOf } from '../platform/platform.ts';
import type { Run } from '../platform/run.ts';
import { derivedFolder, derivedName, timestampOf } from '../postgres/derived-names.ts';
import type { Postgres } from '../postgres/server.ts';
import { reserveName } from '../postgres/temporary-databases.ts';
import { buildSteps } from '../restore/build-steps.ts';
import type { Leftovers } from '../restore/leftovers/leftovers.ts';
import { sweepCopies } from '../restore/leftovers/sweep.ts';
import { executeAndTakeBack, type Step, type StepFailure } from '../restore/plan.ts';
import type { Findings } from '../restore/preflight/findings.ts';
import { preflight } from '../restore/preflight/preflight.ts';
import type { Request } from '../restore/request.ts';
import type { Target } from '../restore/target.ts';
import type { FilestoreWork, Work } from '../restore/work.ts';
import { Cancellation } from '../util/cancellation.ts';

/**
 * A neutralized copy of a backup on the host of an Odoo, for the time of a run: a database of its own with a filestore of
 * its own, beside those in use. Odoo in use does not offer it: it is marked as a template.
 */
export interface Copy {
  readonly database: string;
  /** undefined: the backup has none, or filestores are left alone. */
  readonly filestore: OwnedFolder | undefined;
  /** The Odoo beside which it is made. */
  readonly target: Target;
  /** The login that does what is done in the copy, with no more rights than its owner. */
  readonly login: Postgres;
  /** Where it grows, as far as that is known, before it was built. */
  readonly disks: readonly FileSystem[];
}

/** A copy that can be made, and how. Disposing of it gives its name free. */
export interface CopyPlan extends AsyncDisposable {
  readonly copy: Copy;
  /** What the checks have found. Where they found problems, the copy cannot be made. */
  readonly findings: Findings;
  /** The steps that build it. */
  readonly steps: readonly Step[];
  /** What is not as in the backup, in words: grows while the copy is built. */
  readonly leftOut: readonly string[];
}

/** How a copy is made. */
export interface CopyRequest {
  /** Nothing is changed: no name is taken, and nothing removed. */
  readonly dryRun?: boolean;
  /** Database that the backup has to be of; undefined: any. */
  readonly source?: string | undefined;
  /** Tables that the copy is made without the rows of. */
  readonly skipTables?: readonly string[];
}

/**
 * Checks everything that a copy needs, and plans it. Copies that killed runs have left are removed first.
 *
 * @param live the Odoo in use
 * @throws UserError when something cannot be found out
 */
export async function openCopy(
  source: RestoreSource,
  live: Target,
  { dryRun = false, source: of, skipTables = [] }: CopyRequest,
  run: Run,
): Promise<CopyPlan> {
  const { platform, phases, signal } = run;
  const { database } = live;
  await using resources = new AsyncDisposableStack();
  const { name, timestamp } = dryRun ? named(database) : await reserve(resources, live, run);
  const target = asGuest(live);
  const request: Request = {
    purpose: holderOf('rehearsal', platform.run),
    source: of,
    inPlace: false,
    replace: true,
    beside: true,
    neutralize: true,
    newUuid: true,
    afterLoad: [],
    skipTables,
    keepSequences: false,
    salvage: false,
    encryptTo: undefined,
    keepPrevious: 'until-healthy',
    dropSlots: false,
    dryRun,
    code: undefined,
  };
  const findings = await phases.run('preflight', 'Check everything, change nothing', async () => {
    const found = await preflight(source, target, request);
    signal.throwIfAborted(); // what it makes problems of: everything
    return found;
  });
  const filestore = filestoreWork(live.filestore, source, timestamp);
  const work: Work = {
    ...run,
    source,
    target,
    findings,
    request,
    startedAt: new Date(),
    databases: { current: database, old: undefined, new: name },
    filestore,
    leftOut: [],
    assertLocked: async () => {},
    beginSwap: async () => {},
  };
  const copy = {
    database: name,
    filestore: filestore?.staged,
    target,
    login: findings.loader,
    disks: [findings.databaseDisk, findings.walDisk, findings.filestoreDisk].filter(
      (disk) => disk !== undefined,
    ),
  };
  const kept = resources.move();
  return {
    copy,
    findings,
    steps: buildSteps(work),
    leftOut: work.leftOut,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** How the use of a copy ends. */
export interface UseOptions {
  /** Default: one that follows the signal of the run. */
  readonly cancellation?: Cancellation;
  /** Is told of a failure once the copy is dropped. */
  onFailure?(failure: StepFailure): Promise<void>;
}

/**
 * Builds a copy, runs steps on it, and drops it, whatever has happened: its database and its filestore. Where that fails,
 * the commands for a person are in the error.
 *
 * @param steps what is done with the copy; what they have begun is taken back before the copy is dropped
 * @throws the error of a step, or the signal's reason; a StrandedError when a person has to drop it
 */
export async function useCopy(
  plan: CopyPlan,
  steps: readonly Step[],
  run: Run,
  { cancellation = Cancellation.following(run.signal), onFailure }: UseOptions = {},
): Promise<void> {
  await executeAndTakeBack([...plan.steps, ...steps], run, cancellation, { tell: onFailure });
}

function named(database: string): { readonly name: string; readonly timestamp: string } {
  const timestamp = timestampOf(new Date());
  return { name: derivedName(database, 'rehearsal', timestamp), timestamp };
}

/** Removes what killed runs have left, and takes a name that no other run takes. */
async function reserve(
  resources: AsyncDisposableStack,
  live: Target,
  { platform }: Run,
): Promise<{ readonly name: string; readonly timestamp: string }> {
  await sweepCopies(live, platform);
  const { lock, ...reserved } = await reserveName(live.admin, live.database, 'rehearsal');
  resources.use(lock);
  return reserved;
}

const NOTHING_LEFT: Leftovers = {
  halfSwapped: [],
  placed: [],
  unused: { databases: [], folders: [] },
  interrupted: [],
  expired: [],
  kept: [],
};

/**
 * The same target for a guest: nothing of it is replaced, stopped, or removed to make room, and no more than half of the
 * cores are taken.
 */
function asGuest(live: Target): Target {
  const { installation, services, units = services?.units } = live;
  const cores = Math.max(1, Math.floor(installation.tools.cores / 2));
  return {
    ...live,
    installation: { ...installation, tools: { ...installation.tools, cores } },
    current: undefined,
    leftovers: NOTHING_LEFT,
    services: undefined,
    ...(units && { units }),
    jobs: Math.min(live.jobs, cores),
  };
}

/** The files that the host has are hard links to those of the Odoo in use: Odoo never rewrites one. */
function filestoreWork(
  live: OwnedFolder | undefined,
  source: RestoreSource,
  timestamp: string,
): FilestoreWork | undefined {
  if (!live || !source.filestore) return undefined;
  const path = derivedFolder(live.path, 'rehearsal', timestamp);
  return {
    live,
    wanted: source.filestore,
    swap: { current: live.path, old: undefined, new: path },
    staged: { ...live, path, exists: true },
  };
}
