import type { Store } from '../s3/store.ts';
import { inParallel } from '../util/in-parallel.ts';
import { type Condition, type Entry, READERS, readEntry } from './entries.ts';
import type { Backup } from './keys.ts';
import { atLeast, type Level, recoverySeconds, restoreSeconds } from './proofs.ts';
import { timeOf } from './retention.ts';
import { SHRINK_WINDOW, type Shrink, shrunken } from './shrink.ts';
import type { TrustedSigners } from './signatures.ts';

/** What a backup has to be. */
export interface GateRequirement {
  readonly require: Level;
  readonly maxAgeMs: number;
  /** How much less than the ones before it the backup may have, in percent. 100: whatever it has. */
  readonly maxShrink: number;
  /** How long the way back may take, as it was last measured; undefined: however long. */
  readonly maxRestoreMs?: number | undefined;
}

/** What a gate is asked: whether there is a backup that meets all requirements. */
export interface GateQuestion extends GateRequirement {
  readonly database: string;
  /** `latest`: any backup that meets them; else the key, URI or time of the one that has to be there. */
  readonly backup: string;
}

/** The backups that a gate looks at. */
export interface GateCandidates {
  /** Those that are meant. */
  readonly backups: readonly Backup[];
  /** Those that they are compared with. */
  readonly all: readonly Backup[];
  readonly signers: TrustedSigners;
}

/**
 * `unrestorable`: all that are young enough are whole, and the database in them cannot be restored as it is; the entry
 * is the newest. `none`: there is nothing. `unverified`: nothing that is a backup; the entry is the newest. `old`: the
 * newest verified one is too old. `level`: the newest verified one is young enough, and neither it nor another one is
 * proven far enough. `shrunk`: the newest that would do has less than the ones before it.
 * `slow`: the way back took too long when it was last measured.
 */
export type GateVerdict =
  | { readonly kind: 'open'; readonly entry: Entry }
  | { readonly kind: 'shrunk'; readonly entry: Entry; readonly shrinks: readonly Shrink[] }
  /** `measured` undefined: no test of the newest backups has measured it. */
  | { readonly kind: 'slow'; readonly entry: Entry; readonly measured: MeasuredRestore | undefined }
  | { readonly kind: 'unverified' | 'old' | 'level' | 'unrestorable'; readonly entry: Entry }
  | { readonly kind: 'none' };

/** What the way back took: as far as the restored database, or as far as Odoo's answer. */
interface MeasuredRestore {
  readonly key: string;
  readonly seconds: number;
  readonly until: 'restore' | 'boot';
}

/** Looks for the newest backup that meets all requirements. It reads no more receipts than necessary. */
export async function askGate(
  store: Store,
  { backups, all, signers }: GateCandidates,
  { require, maxAgeMs, maxShrink, maxRestoreMs }: GateRequirement,
  now: Date,
): Promise<GateVerdict> {
  const findEntry = (among: readonly Backup[], is: (entry: Entry) => boolean) =>
    firstEntry(store, among, signers, is);
  const isYoung = (backup: Backup) => now.getTime() - timeOf(backup) <= maxAgeMs;
  const isVerified = ({ condition }: Entry) => condition.kind === 'verified';
  const young = backups.filter(isYoung);
  const open = await findEntry(young, ({ condition }) => {
    return isRestorable(condition) && atLeast(condition.level, require);
  });
  if (open) {
    const before = await entriesBefore(store, open, all, signers);
    const shrinks = shrunken([open, ...before], maxShrink).get(open);
    if (shrinks) return { kind: 'shrunk', entry: open, shrinks };
    if (maxRestoreMs === undefined) return { kind: 'open', entry: open };
    const measured = lastMeasured([open, ...before]);
    const isQuick = measured !== undefined && measured.seconds * 1000 <= maxRestoreMs;
    return isQuick ? { kind: 'open', entry: open } : { kind: 'slow', entry: open, measured };
  }
  const unproven = await findEntry(young, isVerified);
  if (unproven) return { kind: isRestorable(unproven.condition) ? 'level' : 'unrestorable', entry: unproven };
  const old = await findEntry(
    backups.filter((backup) => !isYoung(backup)),
    isVerified,
  );
  if (old) return { kind: 'old', entry: old };
  const newest = await findEntry(backups, () => true);
  return newest ? { kind: 'unverified', entry: newest } : { kind: 'none' };
}

/** The ones before it, the newest first, so far as it is compared with them. */
function entriesBefore(
  store: Store,
  entry: Entry,
  all: readonly Backup[],
  signers: TrustedSigners,
): Promise<Entry[]> {
  const before = all.filter(({ archive, at }) => archive && archive.key !== entry.key && at <= entry.at);
  return inParallel(before.slice(0, SHRINK_WINDOW), READERS, (backup) => readEntry(store, backup, signers));
}

/**
 * A database grows slowly: what its last test took, whichever backup that was of, tells what the next takes. One that
 * went as far as Odoo's answer tells the whole time; a restore test alone, a part of it.
 */
function lastMeasured(newestFirst: readonly Entry[]): MeasuredRestore | undefined {
  const measures = [
    ['boot', recoverySeconds],
    ['restore', restoreSeconds],
  ] as const;
  for (const [until, measure] of measures) {
    for (const { key, receipt, condition } of newestFirst) {
      const seconds = receipt && condition.kind === 'verified' ? measure(receipt) : undefined;
      if (seconds !== undefined) return { key, seconds, until };
    }
  }
  return undefined;
}

const isRestorable = (condition: Condition): condition is Extract<Condition, { kind: 'verified' }> =>
  condition.kind === 'verified' && condition.unrestorable === undefined;

/** The newest of them that is what is looked for. */
async function firstEntry(
  store: Store,
  backups: readonly Backup[],
  signers: TrustedSigners,
  is: (entry: Entry) => boolean,
): Promise<Entry | undefined> {
  for (let from = 0; from < backups.length; from += READERS) {
    const some = backups.slice(from, from + READERS);
    const found = (await inParallel(some, READERS, (backup) => readEntry(store, backup, signers))).find(is);
    if (found) return found;
  }
  return undefined;
}
