import { ContentError } from '../../util/errors.ts';
import { type AttachedFiles, type FilesThere, NOTHING_THERE } from './attached-files.ts';
import { AttachmentNames } from './attachment-names.ts';

/** How the rows of the table begin in a plain dump; an empty line and the COPY follow. */
const ROWS_BEGIN = Buffer.from('-- Data for Name: ir_attachment; Type: TABLE DATA; Schema: public; Owner: ');
/** Between the two, in bytes: a role's name, and the columns of a table. */
const LONGEST_HEADER = 64 * 1024;
const TAIL_BYTES = 512;
const HEAD_BYTES = 4096;

/** pg_dump's last words; since PostgreSQL 15.14 the line that takes back the `\restrict` of the beginning follows. */
const LAST_WORDS =
  /(?:^|\n)--\r?\n-- PostgreSQL database dump complete\r?\n--\s*(?:\\unrestrict (?<key>\w+)\s*)?$/;
const RESTRICT = /^\\restrict (\w+)\r?$/m;

type TextState =
  | { readonly in: 'text' | 'rows' }
  /** What has come after ROWS_BEGIN. */
  | { readonly in: 'header'; readonly bytes: Buffer };

/**
 * Looks at a database as SQL, as pg_dump and pg_restore print it, while it passes: whether it is complete, and which
 * files its attachments name.
 */
export class SqlText {
  /** Name of the dump, for messages. */
  readonly name: string;
  readonly #attachments: AttachmentNames;
  #state: TextState = { in: 'text' };
  #head: Buffer = Buffer.alloc(0);
  /** The last bytes: words may be cut by the end of a chunk. */
  #tail: Buffer = Buffer.alloc(0);

  constructor(name: string, there: FilesThere = NOTHING_THERE) {
    this.name = name;
    this.#attachments = new AttachmentNames(there);
  }

  /** Files in `ir_attachment.store_fname`; undefined: the table is not there. */
  get files(): AttachedFiles | undefined {
    return this.#attachments.files;
  }

  async readAll(chunks: AsyncIterable<Buffer>): Promise<void> {
    for await (const chunk of chunks) this.update(chunk);
  }

  update(chunk: Buffer): void {
    if (this.#head.length < HEAD_BYTES) {
      this.#head = Buffer.concat([this.#head, chunk.subarray(0, HEAD_BYTES - this.#head.length)]);
    }
    const before = this.#tail;
    for (let rest: Buffer | undefined = chunk; rest; )
      rest = this.#advance(rest, rest === chunk ? before : undefined);
    const tail = Buffer.concat([before.subarray(-TAIL_BYTES), chunk.subarray(-TAIL_BYTES)]);
    this.#tail = tail.subarray(-TAIL_BYTES);
  }

  /** @throws ContentError when it does not end as pg_dump ends it */
  finish(): void {
    const found = LAST_WORDS.exec(this.#tail.toString('latin1'));
    const restricted = RESTRICT.exec(this.#head.toString('latin1'))?.[1];
    if (found && found.groups?.key === restricted) return;
    throw new ContentError(
      `${JSON.stringify(this.name)} is not complete: it does not end with pg_dump's last line.`,
      'It was cut short when it was made. Choose another backup.',
    );
  }

  /** Takes bytes up to where the state changes. Returns the others. */
  #advance(bytes: Buffer, before: Buffer | undefined): Buffer | undefined {
    switch (this.#state.in) {
      case 'text':
        return this.#text(bytes, before);
      case 'header':
        return this.#header(Buffer.concat([this.#state.bytes, bytes]));
      case 'rows':
        return this.#rows(bytes);
    }
  }

  #text(bytes: Buffer, before: Buffer | undefined): Buffer | undefined {
    const overlap = before?.subarray(-(ROWS_BEGIN.length - 1));
    const all = overlap ? Buffer.concat([overlap, bytes]) : bytes;
    const at = all.indexOf(ROWS_BEGIN);
    if (at < 0) return undefined;
    this.#state = { in: 'header', bytes: Buffer.alloc(0) };
    return all.subarray(at + ROWS_BEGIN.length);
  }

  #header(bytes: Buffer): Buffer | undefined {
    const text = bytes.toString('latin1', 0, LONGEST_HEADER);
    const begin = this.#attachments.begin(text);
    if (begin === undefined) {
      const isLost = bytes.length >= LONGEST_HEADER;
      this.#state = isLost ? { in: 'text' } : { in: 'header', bytes };
      return isLost ? bytes : undefined;
    }
    this.#state = { in: 'rows' };
    return bytes.subarray(begin);
  }

  #rows(bytes: Buffer): Buffer | undefined {
    const rest = this.#attachments.rows(bytes);
    if (rest) this.#state = { in: 'text' };
    return rest;
  }
}
