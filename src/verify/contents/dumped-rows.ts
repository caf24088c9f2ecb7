import { damaged } from '../../postgres/custom-format/cursor.ts';
import type { TocEntry } from '../../postgres/custom-format/entries.ts';
import { type AttachedFiles, type FilesThere, NOTHING_THERE } from './attached-files.ts';
import { AttachmentNames } from './attachment-names.ts';

/** What pg_dump ends the rows of a table with. */
const END = Buffer.from('\\.\n\n\n');

/** Looks at the rows of a dump for pg_restore, table by table: whether they are whole, and which files they name. */
export class DumpedRows {
  /** Name of the dump, for messages. */
  readonly name: string;
  readonly #attachments: AttachmentNames;

  constructor(name: string, there: FilesThere = NOTHING_THERE) {
    this.name = name;
    this.#attachments = new AttachmentNames(there);
  }

  /** Files in `ir_attachment.store_fname`; undefined: the table is not there. */
  get files(): AttachedFiles | undefined {
    return this.#attachments.files;
  }

  /**
   * Reads the data of one entry to their end.
   * @throws ContentError when they do not end as rows do
   */
  async read({ copy = '', kind, id }: TocEntry, data: AsyncIterable<Buffer>): Promise<void> {
    let isAttachments = this.#attachments.begin(copy) !== undefined;
    let tail: Buffer = Buffer.alloc(0);
    for await (const chunk of data) {
      if (isAttachments && this.#attachments.rows(chunk)) isAttachments = false;
      tail = chunk.length >= END.length ? chunk : Buffer.concat([tail.subarray(-END.length), chunk]);
    }
    if (copy === '' || tail.subarray(-END.length).equals(END)) return;
    throw damaged(this.name, `the rows of its entry ${id} (${kind}) have no end`);
  }
}
