import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Unit } from './segment.ts';

const UNIT_SIZE = 64 * 2 ** 20;

/** Cuts the bytes of one segment into units while they pass. */
export class UnitMeter {
  readonly #unitSize: number;
  readonly #units: Unit[] = [];
  #offset: number;
  #length = 0;
  #md5 = createHash('md5');
  #crc32 = 0;

  /** `offset`: where the segment starts in the archive, in bytes. */
  constructor(offset: number, unitSize = UNIT_SIZE) {
    this.#offset = offset;
    this.#unitSize = unitSize;
  }

  update(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + this.#unitSize - this.#length);
      this.#md5.update(part);
      this.#crc32 = crc32(part, this.#crc32);
      this.#length += part.length;
      at += part.length;
      if (this.#length === this.#unitSize) this.#cut();
    }
  }

  /** Ends the segment: its units, in order, without a gap. Empty where no byte passed. */
  finish(): Unit[] {
    if (this.#length > 0) this.#cut();
    return this.#units;
  }

  #cut(): void {
    const md5 = this.#md5.digest('hex');
    this.#units.push({ offset: this.#offset, length: this.#length, md5, crc32: this.#crc32 });
    this.#offset += this.#length;
    this.#length = 0;
    this.#md5 = createHash('md5');
    this.#crc32 = 0;
  }
}

/** Compares the bytes of an object, which come from its first on, with the units that were written. */
export class UnitCheck {
  /** The first one that reads back as something else. */
  broken: Unit | undefined;
  readonly #units: readonly Unit[];
  #index = 0;
  #offset = 0;
  #md5 = createHash('md5');

  /** @param units in the order in which they lie there; bytes of none are not looked at */
  constructor(units: readonly Unit[]) {
    this.#units = units;
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

  #end(unit: Unit): void {
    if (this.#md5.digest('hex') !== unit.md5) this.broken ??= unit;
    this.#md5 = createHash('md5');
    this.#index += 1;
  }
}
