const LF = 10;

/** How many bytes a character has that begins with this byte above 127, and that second byte. */
type Length = (lead: number, second: number) => number;

/**
 * The encodings in which a byte below 128 may be a part of a longer character. PostgreSQL has them on the client's side
 * only, and psql reads them so: https://git.postgresql.org/gitweb/?p=postgresql.git;a=blob;f=src/common/wchar.c
 */
const ENCODINGS: Readonly<Record<string, Length>> = {
  'BIG5, GBK and UHC': () => 2,
  GB18030: (_, second) => (second >= 0x30 && second <= 0x39 ? 4 : 2),
  JOHAB: (lead) => (lead === 0x8f ? 3 : 2),
  SJIS: (lead) => (lead >= 0xa1 && lead <= 0xdf ? 1 : 2),
};
const LENGTHS = Object.values(ENCODINGS);

/**
 * Follows text through all of these encodings at once, and tells which bytes below 128 some of them would hide. psql
 * begins anew with each line.
 */
export class ClientEncodings {
  /** The character's first byte, for each encoding, where the second is the next to come; 0 elsewhere. */
  readonly #lead = LENGTHS.map(() => 0);
  /** How many more bytes belong to the character, for each encoding. */
  readonly #left = LENGTHS.map(() => 0);
  #clean = true;

  /** @returns where the first byte is that matters and could be hidden; undefined: there is none */
  findHidden(
    bytes: Buffer,
    from: number,
    to: number,
    matters: (byte: number) => boolean,
  ): number | undefined {
    for (let at = from; at < to; at++) {
      const byte = bytes[at] ?? 0;
      if (byte === LF) this.startLine();
      else if ((byte > 127 || !this.#clean) && this.#hides(byte) && byte <= 127 && matters(byte)) return at;
    }
    return undefined;
  }

  startLine(): void {
    if (this.#clean) return;
    this.#lead.fill(0);
    this.#left.fill(0);
    this.#clean = true;
  }

  #hides(byte: number): boolean {
    let hidden = false;
    let clean = true;
    for (let i = 0; i < LENGTHS.length; i++) {
      const lead = this.#lead[i] ?? 0;
      if (lead > 0) this.#left[i] = (LENGTHS[i]?.(lead, byte) ?? 1) - 1;
      this.#lead[i] = 0;
      const left = this.#left[i] ?? 0;
      if (left > 0) {
        hidden = true;
        this.#left[i] = left - 1;
      } else if (byte > 127) this.#lead[i] = byte;
      if (this.#lead[i] || this.#left[i]) clean = false;
    }
    this.#clean = clean;
    return hidden;
  }
}
