import {
  amount,
  type Decoded,
  type Decoder,
  instant,
  object,
  oneOf,
  optional,
  sentence,
  yes,
} from '../util/decode.ts';
import { programVersions, signature, toolName, version } from './shapes.ts';

/**
 * How far an archive was proven, from less to more. `upload`: size, MD5 of every part, central directory read back.
 * `contents`: every byte of it read back and checked. `restore`: loaded into a database, and compared. `boot`: Odoo was
 * started on what was restored, and answered.
 */
export const levels = ['upload', 'contents', 'restore', 'boot'] as const;
export type Level = (typeof levels)[number];

export const decodeTool = object({ name: toolName, version });
export interface Tool extends Decoded<typeof decodeTool> {}

/**
 * What a person has said of a backup. `pin`: no rule deletes it. `unpin` takes that back. `accept-shrink`: it has less
 * than the ones before it, and that is right.
 */
const decodeRemark = object({ kind: oneOf('pin', 'unpin', 'accept-shrink'), reason: sentence });
export interface Remark extends Decoded<typeof decodeRemark> {}

const decodeStored = object({
  level: oneOf('upload', 'contents', 'restore'),
  /**
   * With the level `restore`: it is `boot`. A program that knows no such level takes it for what it includes, while a
   * level that it does not know would make the receipt unreadable to it, and the backup none.
   */
  booted: optional(yes),
  /** ISO 8601, UTC. */
  at: instant,
  tool: decodeTool,
  /** Versions of other programs that took part: `pg_restore`, `postgres`. */
  programs: optional(programVersions),
  /**
   * Seconds that it took; at the level `restore`, the time that a restore takes; at the level `boot`, the time from the
   * archive to Odoo's answer.
   */
  seconds: optional(amount),
  /** What is wrong with the archive. Absent: it passed. */
  failure: optional(sentence),
  /** The archive is whole: `failure` says why the database in it cannot be restored as it is. */
  unrestorable: optional(yes),
  /** A remark stands among the proofs, so that it is signed as they are. It proves nothing, whatever its level. */
  remark: optional(decodeRemark),
  /** The signature of whoever made the proof: see signatures.ts. */
  signature: optional(signature),
});

/** A proof as a receipt has it. */
interface StoredProof extends Decoded<typeof decodeStored> {}

/** One look at the archive in the bucket. A receipt holds them in the order in which they were made. */
export interface Proof extends Omit<StoredProof, 'level' | 'booted'> {
  readonly level: Level;
}

export const decodeProof: Decoder<Proof> = (value, at) => {
  const { booted, level, ...proof } = decodeStored(value, at);
  return { level: booted && level === 'restore' ? 'boot' : level, ...proof };
};

/** What a receipt holds of a proof. */
export const storedProof = ({ level, ...proof }: Proof): StoredProof =>
  level === 'boot' ? { level: 'restore', booted: true, ...proof } : { level, ...proof };

interface Proven {
  readonly proofs: readonly Proof[];
}

/** Whether `level` says as much as `required`, or more. An archive without a level never does. */
export function atLeast(level: Level | undefined, required: Level): boolean {
  return level !== undefined && rank(level) >= rank(required);
}

/** The proofs without remarks: the times that somebody looked at the archive. */
export const looksOf = <T extends Pick<Proof, 'remark'>>({
  proofs,
}: {
  readonly proofs: readonly T[];
}): T[] => proofs.filter(({ remark }) => remark === undefined);

/** Why no rule deletes this backup; undefined: it is not pinned. */
export function pinOf({ proofs }: Proven): string | undefined {
  const last = proofs.findLast(({ remark }) => remark?.kind === 'pin' || remark?.kind === 'unpin')?.remark;
  return last?.kind === 'pin' ? last.reason : undefined;
}

/** Why it is right that this backup has less than the ones before it; undefined: nobody has said so. */
export const acceptedShrink = ({ proofs }: Proven): string | undefined =>
  proofs.findLast(({ remark }) => remark?.kind === 'accept-shrink')?.remark?.reason;

/** The highest level that the archive has passed; undefined where it has passed none, or has failed since. */
export function levelOf(receipt: Proven): Level | undefined {
  if (failedProof(receipt)) return undefined;
  const passed = looksOf(receipt).filter(({ failure }) => failure === undefined);
  return passed.map(({ level }) => level).reduce(higher, undefined);
}

/**
 * The proof that the archive has failed. A later one that looked as closely and passed takes its place: then it was
 * the network, or the machine, and not the archive.
 */
export const failedProof = (receipt: Proven): Proof | undefined =>
  lastUnrefuted(looksOf(receipt), ({ failure, unrestorable }) => failure !== undefined && !unrestorable);

/**
 * The proof that the archive is whole, and its database cannot be restored as it is. A later restore that passed
 * refutes it.
 */
export const unrestorableProof = (receipt: Proven): Proof | undefined =>
  lastUnrefuted(
    looksOf(receipt),
    ({ failure, unrestorable }) => failure !== undefined && unrestorable === true,
  );

const lastUnrefuted = (proofs: readonly Proof[], is: (proof: Proof) => boolean): Proof | undefined =>
  proofs.findLast(
    (proof, index) =>
      is(proof) &&
      !proofs
        .slice(index + 1)
        .some((later) => later.failure === undefined && atLeast(later.level, proof.level)),
  );

/** Duration of the newest proof by a restore, in seconds; undefined where there is none. */
export const restoreSeconds = (receipt: Proven): number | undefined => secondsAt('restore', receipt);

/**
 * The measured recovery time: seconds from the archive to Odoo's answer, by the newest proof that has started it;
 * undefined where there is none.
 */
export const recoverySeconds = (receipt: Proven): number | undefined => secondsAt('boot', receipt);

const secondsAt = (wanted: Level, receipt: Proven): number | undefined =>
  looksOf(receipt).findLast(({ level, failure }) => level === wanted && failure === undefined)?.seconds;

const rank = (level: Level): number => levels.indexOf(level);

const higher = (one: Level | undefined, other: Level): Level =>
  one !== undefined && rank(one) > rank(other) ? one : other;
