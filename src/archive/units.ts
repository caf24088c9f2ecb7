import { createHash, type Hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Unit } from './segment.ts';

const MiB = 2 ** 20;
/**
 * The least that S3 copies into the middle of an object:
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
 */
export const SHORTEST_UNIT = 5 * MiB;
/** With a short rest behind it, a unit has up to 64 MiB. */
const USUAL_UNIT = 59 * MiB;
/** Parts that copies may take of the 10,000 that an object may have. */
const MOST_UNITS = 8000;

/** How long units are in an archive of at most `mostBytes`. */
export function unitSizeOf(mostBytes: number): number {
  return Math.max(USUAL_UNIT, Math.ceil(mostBytes / MOST_UNITS / MiB) * MiB);
}

/** A unit that is not ended yet. */
interface OpenUnit {
  readonly offset: number;
  readonly md5: Hash;
  length: number;
  crc32: number;
}

/**
 * Cuts the bytes of one segment into units while they pass. No unit is shorter than `shortest`, unless its segment is:
 * a short rest joins the unit before it, because S3 could not copy it.
 */
export class UnitMeter {
  readonly #size: number;
  readonly #shortest: number;
  readonly #units: Unit[] = [];
  #open: OpenUnit;
  /** Full, and open until what follows it is long enough. */
  #full: OpenUnit | undefined;
  /** What follows it so far. */
  #held: Buffer[] = [];

  /** `offset`: where the segment starts in the archive, in bytes. */
  constructor(offset: number, size = USUAL_UNIT, shortest = SHORTEST_UNIT) {
    this.#open = opened(offset);
    this.#size = size;
    this.#shortest = Math.min(shortest, size);
  }

  update(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const unit = this.#open;
      const part = bytes.subarray(at, at + this.#size - unit.length);
      extend(unit, part);
      at += part.length;
      if (this.#full) this.#held.push(part);
      if (unit.length >= this.#shortest) this.#endFull();
      if (unit.length === this.#size) {
        this.#full = unit;
        this.#open = opened(unit.offset + unit.length);
      }
    }
  }

  /** Ends the segment: its units, in order, without a gap. Empty where no byte passed. */
  finish(): Unit[] {
    if (this.#full) for (const part of this.#held) extend(this.#full, part);
    else if (this.#open.length > 0) this.#units.push(ended(this.#open));
    this.#endFull();
    return this.#units;
  }

  #endFull(): void {
    if (this.#full) this.#units.push(ended(this.#full));
    this.#full = undefined;
    this.#held = [];
  }
}

const opened = (offset: number): OpenUnit => ({ offset, length: 0, md5: createHash('md5'), crc32: 0 });

function extend(unit: OpenUnit, bytes: Buffer): void {
  unit.md5.update(bytes);
  unit.crc32 = crc32(bytes, unit.crc32);
  unit.length += bytes.length;
}

const ended = ({ offset, length, md5, crc32 }: OpenUnit): Unit => ({
  offset,
  length,
  md5: md5.digest('hex'),
  crc32,
});

/** A run of an object's bytes, and the MD5 that they have. */
export type CheckedRange = Pick<Unit, 'offset' | 'length' | 'md5'>;

/** Compares the bytes of an object, which come in their order, with the units that were written. */
export class UnitCheck {
  /** The first one that reads back as something else. */
  broken: CheckedRange | undefined;
  /** Where the last unit ends that is what was written, unless one before it is not. */
  proven: number;
  readonly #units: readonly CheckedRange[];
  #index = 0;
  #offset: number;
  #md5 = createHash('md5');

  /**
   * @param units in the order of the object; bytes that belong to no unit are not checked
   * @param from where the bytes begin: units before are left out
   */
  constructor(units: readonly CheckedRange[], from = 0) {
    this.#units = from === 0 ? units : units.filter(({ offset }) => offset >= from);
    this.#offset = from;
    this.proven = from;
  }

  update(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const unit = this.#units[this.#index];
      if (!unit) return;
      const before = Math.max(0, unit.offset - this.#offset);
      const left = unit.offset + unit.length - this.#offset;
      const part = bytes.subarray(at, at + (before > 0 ? before : left));
      if (before === 0) this.#md5.update(part);
      this.#offset += part.length;
      at += part.length;
      if (before === 0 && part.length === left) this.#end(unit);
    }
  }

  #end(unit: CheckedRange): void {
    if (this.#md5.digest('hex') !== unit.md5) this.broken ??= unit;
    if (!this.broken) this.proven = unit.offset + unit.length;
    this.#md5 = createHash('md5');
    this.#index += 1;
  }
}
