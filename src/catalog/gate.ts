import type { Store } from '../s3/store.ts';
import { inParallel } from '../util/in-parallel.ts';
import { type Entry, READERS, readEntry } from './entries.ts';
import type { Backup } from './keys.ts';
import { atLeast, type Level } from './proofs.ts';
import { timeOf } from './retention.ts';

/** What a backup has to be. */
export interface Demand {
  readonly require: Level;
  readonly maxAgeMs: number;
}

/** What a gate is asked: whether a backup is there that is all that is demanded. */
export interface GateQuestion extends Demand {
  readonly database: string;
  /** `latest`: any that will do; else the key, URI or time of the one that has to be there. */
  readonly backup: string;
}

/**
 * `none`: there is nothing. `unverified`: nothing that is a backup; the entry is the newest. `old`: the newest verified
 * one is too old. `level`: the newest verified one is young enough, and neither it nor another one is proven far enough.
 */
export type GateVerdict =
  | { readonly kind: 'open'; readonly entry: Entry }
  | { readonly kind: 'unverified' | 'old' | 'level'; readonly entry: Entry }
  | { readonly kind: 'none' };

/** Looks for the newest backup that is all that is demanded. It reads no more receipts than it has to. */
export async function askGate(
  store: Store,
  backups: readonly Backup[],
  { require, maxAgeMs }: Demand,
  now: Date,
): Promise<GateVerdict> {
  const isYoung = (backup: Backup) => now.getTime() - timeOf(backup) <= maxAgeMs;
  const isVerified = ({ condition }: Entry) => condition.kind === 'verified';
  const young = backups.filter(isYoung);
  const open = await findEntry(store, young, ({ condition }) => {
    return condition.kind === 'verified' && atLeast(condition.level, require);
  });
  if (open) return { kind: 'open', entry: open };
  const unproven = await findEntry(store, young, isVerified);
  if (unproven) return { kind: 'level', entry: unproven };
  const old = await findEntry(
    store,
    backups.filter((backup) => !isYoung(backup)),
    isVerified,
  );
  if (old) return { kind: 'old', entry: old };
  const newest = await findEntry(store, backups, () => true);
  return newest ? { kind: 'unverified', entry: newest } : { kind: 'none' };
}

/** The newest of them that is what is looked for. */
async function findEntry(
  store: Store,
  backups: readonly Backup[],
  is: (entry: Entry) => boolean,
): Promise<Entry | undefined> {
  for (let from = 0; from < backups.length; from += READERS) {
    const some = backups.slice(from, from + READERS);
    const found = (await inParallel(some, READERS, (backup) => readEntry(store, backup))).find(is);
    if (found) return found;
  }
  return undefined;
}
