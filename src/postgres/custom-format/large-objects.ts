/** Bytes of one statement: `LOBBUFSIZE` of pg_backup_archiver.h. */
const STATEMENT_BYTES = 16 * 1024;
/** `INV_WRITE` of libpq-fs.h. */
const WRITE = 0x20000;

/** The statements that write one large object, as pg_restore prints them. */
export class LargeObjectSql {
  readonly #hex: string;
  #held: Buffer = Buffer.alloc(0);

  /** @param conformingStrings whether a backslash stands for itself in strings */
  constructor(conformingStrings: boolean) {
    this.#hex = conformingStrings ? '\\x' : '\\\\x';
  }

  begin(oid: number): string {
    return `SELECT pg_catalog.lo_open('${oid}', ${WRITE});\n`;
  }

  *write(bytes: Buffer): Generator<string> {
    const all = this.#held.length > 0 ? Buffer.concat([this.#held, bytes]) : bytes;
    let at = 0;
    for (; all.length - at >= STATEMENT_BYTES; at += STATEMENT_BYTES) {
      yield this.#statement(all.subarray(at, at + STATEMENT_BYTES));
    }
    this.#held = Buffer.from(all.subarray(at));
  }

  end(): string {
    const rest = this.#held.length > 0 ? this.#statement(this.#held) : '';
    this.#held = Buffer.alloc(0);
    return `${rest}SELECT pg_catalog.lo_close(0);\n\n`;
  }

  #statement = (bytes: Buffer): string =>
    `SELECT pg_catalog.lowrite(0, '${this.#hex}${bytes.toString('hex')}');\n`;
}
