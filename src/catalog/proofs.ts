import { amount, type Decoded, instant, object, oneOf, optional, sentence, yes } from '../util/decode.ts';
import { programVersions, signature, toolName, version } from './shapes.ts';

/**
 * How far an archive was proven, from less to more. `upload`: size, MD5 of every part, central directory read back.
 * `contents`: every byte of it read back and checked. `restore`: loaded into a database, and compared.
 */
export const levels = ['upload', 'contents', 'restore'] as const;
export type Level = (typeof levels)[number];

export const decodeTool = object({ name: toolName, version });
export interface Tool extends Decoded<typeof decodeTool> {}

/**
 * What a person has said of a backup. `pin`: no rule deletes it. `unpin` takes that back. `accept-shrink`: it has less
 * than the ones before it, and that is right.
 */
const decodeRemark = object({ kind: oneOf('pin', 'unpin', 'accept-shrink'), reason: sentence });
export interface Remark extends Decoded<typeof decodeRemark> {}

export const decodeProof = object({
  level: oneOf(...levels),
  /** ISO 8601, UTC. */
  at: instant,
  tool: decodeTool,
  /** Versions of other programs that took part: `pg_restore`, `postgres`. */
  programs: optional(programVersions),
  /** Seconds that it took; at the level `restore`, the time that a restore takes. */
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

/** One look at the archive in the bucket. A receipt holds them in the order in which they were made. */
export interface Proof extends Decoded<typeof decodeProof> {}

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
export function restoreSeconds(receipt: Proven): number | undefined {
  return looksOf(receipt).findLast(({ level, failure }) => level === 'restore' && failure === undefined)
    ?.seconds;
}

const rank = (level: Level): number => levels.indexOf(level);

const higher = (one: Level | undefined, other: Level): Level =>
  one !== undefined && rank(one) > rank(other) ? one : other;
