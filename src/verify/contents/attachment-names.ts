import { unescaped } from '../../postgres/copy-text.ts';
import { AttachedFiles, type FilesThere } from './attached-files.ts';

/** Longest field that is looked at, in bytes: Odoo's own names have 43. */
const LONGEST_FIELD = 4096;
const TAB = 9;
const LF = 10;

/** The COPY statement of the table of attachments. */
const COPY = /COPY public\.ir_attachment \(([^)]*)\) FROM stdin;\r?\n/;

/** Which files the attachments of a database name, by their rows as COPY has them. */
export class AttachmentNames {
  /** Files in `ir_attachment.store_fname`; undefined: the table is not there. */
  files: AttachedFiles | undefined;
  readonly #there: FilesThere;
  /** Position of `store_fname` among the table's columns. */
  #target = -1;
  /** The field under way: its column, and its first bytes if it is looked at. */
  #column = 0;
  #field: Buffer[] = [];
  #fieldBytes = 0;

  constructor(there: FilesThere) {
    this.#there = there;
  }

  /**
   * Looks for the statement behind which their rows begin.
   * @returns where that is; undefined: it is not there
   */
  begin(sql: string): number | undefined {
    const found = COPY.exec(sql);
    if (!found) return undefined;
    const columns = (found[1] ?? '').split(', ').map((column) => column.replaceAll('"', ''));
    this.#target = columns.indexOf('store_fname');
    this.files ??= new AttachedFiles(this.#there);
    this.#column = 0;
    this.#clearField();
    return found.index + found[0].length;
  }

  /**
   * Takes rows. https://www.postgresql.org/docs/current/sql-copy.html: what a value has of tabs and line breaks is
   * escaped.
   *
   * @returns what comes behind the line that ends them; undefined: it has not come yet
   */
  rows(bytes: Buffer): Buffer | undefined {
    for (let at = 0; at < bytes.length; at++) {
      const start = at;
      while (at < bytes.length && bytes[at] !== TAB && bytes[at] !== LF) at++;
      if (this.#column === 0 || this.#column === this.#target) this.#keep(bytes.subarray(start, at));
      if (at === bytes.length) return undefined;
      const isLast = this.#endField(bytes[at] === LF);
      if (isLast) return bytes.subarray(at + 1);
    }
    return undefined;
  }

  #keep(part: Buffer): void {
    if (part.length === 0 || this.#fieldBytes > LONGEST_FIELD) return;
    this.#field.push(Buffer.from(part.subarray(0, LONGEST_FIELD)));
    this.#fieldBytes += part.length;
  }

  /** Returns whether that was the line behind the last row. */
  #endField(endsRow: boolean): boolean {
    const column = this.#column;
    this.#column = endsRow ? 0 : column + 1;
    if (column !== 0 && column !== this.#target) return false;
    const value = Buffer.concat(this.#field).toString('utf8');
    this.#clearField();
    if (column === 0 && endsRow && value === '\\.') return true;
    if (column === this.#target && value !== '\\N' && value !== '') this.files?.add(unescaped(value));
    return false;
  }

  #clearField(): void {
    this.#field = [];
    this.#fieldBytes = 0;
  }
}
