/** Bytes that come in small parts, on their way out in larger ones. */
export class Gathered {
  readonly #enough: number;
  #parts: Buffer[] = [];
  #bytes = 0;

  /** @param enough bytes to be taken out */
  constructor(enough: number) {
    this.#enough = enough;
  }

  get isFull(): boolean {
    return this.#bytes >= this.#enough;
  }

  add(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#parts.push(bytes);
    this.#bytes += bytes.length;
  }

  /** @param text of a dump, which has a character for each byte */
  addText(text: string): void {
    this.add(Buffer.from(text, 'latin1'));
  }

  /** All that was added since the last time; undefined: nothing was. */
  take(): Buffer | undefined {
    if (this.#bytes === 0) return undefined;
    const all = this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts, this.#bytes);
    this.#parts = [];
    this.#bytes = 0;
    return all;
  }
}
