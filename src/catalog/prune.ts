import { lockOf } from '../s3/held-objects.ts';
import type { Store } from '../s3/store.ts';
import { keepsVersions, listVersions, removeVersions } from '../s3/versions.ts';
import { messageOf, UserError } from '../util/errors.ts';
import { inParallel } from '../util/in-parallel.ts';
import { type Entry, READERS } from './entries.ts';
import { failedProof, pinOf } from './proofs.ts';
import { decide, pinned, protect, type RetentionPolicy, timeOf, type Verdict } from './retention.ts';
import { shrinkWords, shrunken } from './shrink.ts';

export interface PruneOptions {
  readonly policy: RetentionPolicy;
  /** Whether versions are removed as well, in a bucket that keeps them. */
  readonly deleteVersions: boolean;
  /** The most that may be deleted at once, in percent of all archives. More is refused. */
  readonly limitPercent: number;
  /** How much less than the ones before it the newest backup may have, in percent. 100: whatever it has. */
  readonly maxShrink: number;
  /** The key of the backup that this run has made. It stays, also where clocks have gone back. */
  readonly justMade?: string;
}

/** What retention decides for the entries of one database. */
export interface PrunePlan {
  /** Newest first. */
  readonly verdicts: readonly Verdict<Entry>[];
  /** Whether the bucket keeps versions of what is deleted. */
  readonly versions: boolean;
  /** undefined: it may be carried out. */
  readonly refusal: PruneRefusal | undefined;
}

/** Why nothing is deleted. */
export interface PruneRefusal {
  /** The rest of a sentence. */
  readonly why: string;
  readonly hint: string;
}

/** Longer than any run may take; and time for a person to look at an archive that has failed. */
const SETTLED_DAYS = 8;

/** Decides on all entries, and looks for what forbids to delete. Changes nothing. */
export async function planPrune(
  store: Store,
  entries: readonly Entry[],
  { policy, deleteVersions, limitPercent, maxShrink, justMade }: PruneOptions,
  now = new Date(),
): Promise<PrunePlan> {
  const versions = await keepsVersions(store);
  const verdicts = await inParallel(decideWithPins(entries, policy), READERS, async (verdict) => {
    if (verdict.keep) return verdict;
    const { entry } = verdict;
    const why =
      (entry.key === justMade ? 'made by this run' : undefined) ??
      whyNotYet(entry, now) ??
      (await whyNotOurs(store, entry)) ??
      (versions ? await whyLocked(store, entry, deleteVersions) : undefined);
    return why === undefined ? verdict : protect(verdict, why);
  });
  const refusal = frozen(verdicts, entries, maxShrink) ?? tooMany(verdicts, limitPercent);
  return { verdicts, versions, refusal };
}

/** What the rules decide, and what somebody has pinned. */
export const decideWithPins = (entries: readonly Entry[], policy: RetentionPolicy): Verdict<Entry>[] =>
  decide(entries, policy).map((verdict) => {
    const { receipt } = verdict.entry;
    return pinned(verdict, receipt && pinOf(receipt));
  });

/** A database that was emptied by accident must not rotate out the backups from before. */
function frozen(
  verdicts: readonly Verdict<Entry>[],
  entries: readonly Entry[],
  maxShrink: number,
): PruneRefusal | undefined {
  if (verdicts.every(({ keep }) => keep)) return undefined;
  const newest = newestVerified(entries);
  const shrinks = newest && shrunken(entries, maxShrink).get(newest);
  if (!shrinks) return undefined;
  return {
    why: `the newest backup, ${newest.key}, has shrunk by more than ${maxShrink} percent: ${shrinkWords(shrinks)}`,
    hint: `Check whether that is right. If it is, run the command mark once, with accept-shrink and the reason. If not, keep the older backups, and find out what happened to the data.`,
  };
}

/** The newest backup that counts. */
export const newestVerified = (entries: readonly Entry[]): Entry | undefined =>
  entries
    .filter(({ condition, doubt }) => condition.kind === 'verified' && doubt === undefined)
    .toSorted((a, b) => timeOf(b) - timeOf(a))[0];

/** Up to this number the limit does not count: a small catalog changes by a large share. */
const FEW = 10;

/**
 * A policy deletes about as much as was added since the last time. It deletes most of a catalog at once only when the
 * policy was changed, or when somebody has added backups that push all others out.
 */
function tooMany(verdicts: readonly Verdict<Entry>[], limitPercent: number): PruneRefusal | undefined {
  const archives = verdicts.filter(({ entry }) => entry.archive);
  const deleted = archives.filter(({ keep }) => !keep).length;
  if (deleted <= FEW || deleted * 100 <= archives.length * limitPercent) return undefined;
  return {
    why: `${deleted} of ${archives.length} archives would be deleted at once, and prune-limit is ${limitPercent} percent`,
    hint: 'Check what prune with dry-run: true says, and whether somebody has put archives into the bucket. If it is intended, for instance after a change of keep-last, run prune once with prune-limit: 100.',
  };
}

/** Removes what the plan says. @throws UserError after having tried all of it */
export async function carryOut(
  store: Store,
  { verdicts, versions }: PrunePlan,
  options: {
    readonly deleteVersions: boolean;
    readonly signal: AbortSignal;
    readonly onDeleted: (entry: Entry) => void;
  },
): Promise<void> {
  const doomed = verdicts.filter(({ keep }) => !keep).map(({ entry }) => entry);
  const failures: unknown[] = [];
  await inParallel(doomed, READERS, async (entry) => {
    options.signal.throwIfAborted();
    try {
      await remove(store, entry, versions && options.deleteVersions);
      options.onDeleted(entry);
    } catch (error) {
      failures.push(error);
    }
  });
  if (failures.length === 0) return;
  throw new UserError(
    `${failures.length} of ${doomed.length} could not be deleted: ${messageOf(failures[0])}`,
    `${failures[0] instanceof UserError ? failures[0].hint : ''} The others are gone; the next run tries again.`.trim(),
    { cause: failures[0] },
  );
}

/** The receipt first: from then on it is no backup, whatever becomes of the archive. */
async function remove(store: Store, entry: Entry, withVersions: boolean): Promise<void> {
  const keys = keysOf(entry);
  for (const key of keys) await store.delete(key);
  if (withVersions) for (const key of keys) await removeVersions(store, key);
}

const keysOf = ({ receiptObject, archive }: Entry): string[] =>
  [receiptObject, archive].flatMap((object) => object?.key ?? []);

/** An archive without a receipt may still get one, and a proof may have failed for another reason than the archive. */
function whyNotYet({ archive, receipt, condition }: Entry, now: Date): string | undefined {
  const isRecent = (time: number) => now.getTime() - time < SETTLED_DAYS * 24 * 3_600_000;
  if (condition.kind === 'without-receipt' && archive && isRecent(archive.modified.getTime())) {
    return `without receipt, and less than ${SETTLED_DAYS} days old`;
  }
  const failed = receipt && failedProof(receipt);
  return failed && isRecent(Date.parse(failed.at)) ? `failed less than ${SETTLED_DAYS} days ago` : undefined;
}

/** This program writes the database into the metadata of every archive. */
async function whyNotOurs(store: Store, { archive, condition }: Entry): Promise<string | undefined> {
  if (condition.kind !== 'without-receipt' || !archive) return undefined;
  const head = await store.head(archive.key);
  return head?.metadata.database === undefined ? 'without receipt, and made by another program' : undefined;
}

/** Where a bucket keeps no versions, nothing can be locked. */
async function whyLocked(store: Store, entry: Entry, everyVersion: boolean): Promise<string | undefined> {
  for (const key of keysOf(entry)) {
    const versions = everyVersion
      ? (await listVersions(store, key)).filter(({ isMarker }) => !isMarker)
      : [{ versionId: undefined }];
    for (const { versionId } of versions) {
      const lock = await lockOf(store, key, versionId);
      if (lock) return lock;
    }
  }
  return undefined;
}
