import type { BlockHead } from './blocks.ts';
import { Gathered } from './gathered.ts';
import type { DumpHead } from './head.ts';

const TYPES: Readonly<Record<BlockHead['kind'], number>> = { rows: 1, 'large objects': 3 };

/** A dump in custom format, as it is written. Of one that was compressed there is none: it would be compressed again. */
export class DumpCopy {
  readonly isWritten: boolean;
  readonly #intSize: number;
  readonly #gathered: Gathered;

  /** @param enough bytes to be taken out */
  constructor({ compression, intSize }: DumpHead, enough: number) {
    this.isWritten = compression === 'none';
    this.#intSize = intSize;
    this.#gathered = new Gathered(enough);
  }

  get isFull(): boolean {
    return this.#gathered.isFull;
  }

  take(): Buffer | undefined {
    return this.#gathered.take();
  }

  add(bytes: Buffer): void {
    if (this.isWritten) this.#gathered.add(bytes);
  }

  addBlock({ kind, id }: BlockHead): void {
    this.add(Buffer.from([TYPES[kind]]));
    this.addInt(id);
  }

  addChunk(bytes: Buffer): void {
    this.addInt(bytes.length);
    this.add(bytes);
  }

  addInt(value: number): void {
    const bytes = Buffer.alloc(1 + this.#intSize);
    bytes[0] = value < 0 ? 1 : 0;
    let rest = Math.abs(value);
    for (let i = 1; i < bytes.length; i++) {
      bytes[i] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    this.add(bytes);
  }
}
