/** Reads what SSH puts on the wire (RFC 4251, section 5), from bytes that anybody may have made. */
export class WireReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  byte(): number {
    return this.take(1).readUInt8();
  }

  uint32(): number {
    return this.take(4).readUInt32BE();
  }

  /** A string: its length, and so many bytes. */
  string(): Buffer {
    return this.take(this.uint32());
  }

  text(): string {
    return this.string().toString('latin1');
  }

  /** A positive number of at most so many bytes, without leading zeros. */
  positive(mostBytes: number): Buffer {
    const bytes = this.string();
    if (((bytes[0] ?? 0) & 0x80) !== 0) throw new Error('it holds a negative number');
    const first = bytes.findIndex((byte) => byte !== 0);
    const digits = first < 0 ? Buffer.alloc(0) : bytes.subarray(first);
    if (digits.length === 0 || digits.length > mostBytes) throw new Error('it holds a number out of range');
    return digits;
  }

  /** The next bytes. @throws Error when there are fewer */
  take(length: number): Buffer {
    if (this.#at + length > this.#bytes.length) throw new Error('it ends too early');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** @throws Error when something is left */
  end(): void {
    if (this.#at !== this.#bytes.length) throw new Error('something stands behind its end');
  }
}

export function wireUint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function wireString(value: Buffer | string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([wireUint32(bytes.length), bytes]);
}
