import { hash } from 'node:crypto';
import type { RestoreSource } from '../backup-reader/open.ts';
import type { Run } from '../platform/run.ts';
import { type CopyRow, columnReader, copyColumns, copyRows } from '../postgres/copy-text.ts';
import type { TableName, TablePiece } from '../postgres/table-pieces.ts';
import { quoted } from '../util/controls.ts';
import { ContentError, UserError } from '../util/errors.ts';
import { formatBytes, formatCount, formatCounted } from '../util/format.ts';
import { noTable, withTable } from './table.ts';

/** An attachment, as the table `ir_attachment` of a dump has it. Its texts come from anywhere. */
export interface DumpedAttachment {
  readonly id: number;
  /** Name that a person gave it. */
  readonly name: string;
  /** Where its content is. */
  readonly content: /** In the filestore, under this name. */
    | { readonly in: 'filestore'; readonly name: string }
    /** In the database itself. */
    | { readonly in: 'database'; readonly bytes: Buffer }
    | { readonly in: 'nowhere'; readonly why: string };
}

/** Which attachments are meant. */
export type AttachmentChoice =
  | { readonly kind: 'attachment'; readonly id: number }
  | { readonly kind: 'record'; readonly model: string; readonly id: number };

const TABLE: TableName = { schema: 'public', table: 'ir_attachment' };
/** The longest row in bytes. The content of an attachment in the database takes twice its size. */
const LONGEST_ROW = 48 * 2 ** 20;
/** The most attachments of one record; and the most bytes of those that are in the database, which are held. */
const MOST_ATTACHMENTS = 20_000;
const MOST_HELD = 64 * 2 ** 20;

/**
 * Looks into the dump for attachments. The dump is read as far as the table goes, and for one attachment as far as its
 * row; where a trusted signer has signed the backup, to its end.
 *
 * @throws UserError if the dump has no such attachment
 */
export async function findAttachments(
  source: RestoreSource,
  choice: AttachmentChoice,
  { phases }: Run,
): Promise<DumpedAttachment[]> {
  const title = `Look for ${choiceWords(choice)} in ${quoted('name' in source.dump ? source.dump.name : 'dump/')}`;
  return phases.transfer('dump', title, undefined, (progress) =>
    withTable(source, TABLE, progress, async (table) => {
      const found: DumpedAttachment[] = [];
      let [rows, held] = [0, 0];
      let isThere = false;
      for await (const { columns, row } of rowsOf(table.pieces)) {
        isThere = true;
        if (!row) continue;
        rows += 1;
        const attachment = matching(choice, columns, row);
        if (!attachment) continue;
        found.push(attachment);
        held += attachment.content.in === 'database' ? attachment.content.bytes.length : 0;
        if (choice.kind === 'attachment') break;
        if (found.length > MOST_ATTACHMENTS || held > MOST_HELD) throw tooMany(choice);
      }
      if (!isThere) throw noTable(table, TABLE);
      if (found.length === 0) throw none(choice, rows);
      await table.finish();
      return found;
    }),
  );
}

/** The rows, after the columns alone. */
async function* rowsOf(
  pieces: AsyncGenerator<TablePiece>,
): AsyncGenerator<{ readonly columns: Columns; readonly row?: CopyRow }> {
  for (;;) {
    const next = await pieces.next();
    if (next.done) return;
    if (next.value.part !== 'copy') continue;
    const columns = columnsOf(copyColumns(next.value.bytes.toString('utf8')) ?? []);
    yield { columns };
    for await (const row of copyRows(bytesOf(pieces), LONGEST_ROW)) yield { columns, row };
    return;
  }
}

async function* bytesOf(pieces: AsyncIterable<TablePiece>): AsyncGenerator<Buffer> {
  for await (const { bytes } of pieces) yield bytes;
}

const FACTS = ['name', 'datas_fname', 'type', 'url', 'store_fname', 'checksum', 'db_datas'] as const;

/** Readers of a row: what tells whose it is, and all the rest. */
interface Columns {
  readonly key: (row: CopyRow) => Partial<Record<'id' | 'res_model' | 'res_id', string>>;
  readonly facts: (row: CopyRow) => Partial<Record<(typeof FACTS)[number], string>>;
}

function columnsOf(names: readonly string[]): Columns {
  const missing = ['id', 'store_fname'].find((name) => !names.includes(name));
  if (missing === undefined) {
    return { key: columnReader(names, ['id', 'res_model', 'res_id']), facts: columnReader(names, FACTS) };
  }
  throw new ContentError(
    `The table ir_attachment of the dump has no column ${missing}: it is not Odoo's.`,
    'Fetch the file by its SHA-1 (attachment), or the table itself (table).',
  );
}

function matching(choice: AttachmentChoice, columns: Columns, row: CopyRow): DumpedAttachment | undefined {
  const { id, res_model, res_id } = columns.key(row);
  const isMeant =
    choice.kind === 'attachment'
      ? id === String(choice.id)
      : res_id === String(choice.id) && res_model === choice.model;
  if (!isMeant) return undefined;
  const facts = columns.facts(row);
  const name = facts.datas_fname || facts.name || '';
  return { id: Number(id), name, content: contentOf(facts, row.isCut) };
}

function contentOf(
  { type, url = '', store_fname, checksum, db_datas }: ReturnType<Columns['facts']>,
  isCut: boolean,
): DumpedAttachment['content'] {
  if (store_fname?.includes('://')) {
    return { in: 'nowhere', why: 'its content is in another storage, which is not part of the backup' };
  }
  if (store_fname) return { in: 'filestore', name: store_fname };
  if (type === 'url' || type === 'cloud_storage')
    return { in: 'nowhere', why: `it is a link, to ${quoted(url)}` };
  const hex = /^\\x((?:[0-9a-f]{2})*)$/i.exec(db_datas ?? '')?.[1];
  if (hex === undefined) {
    const longest = formatBytes(LONGEST_ROW / 2);
    if (isCut) return { in: 'nowhere', why: `it is in the database itself, and larger than ${longest}` };
    const why =
      db_datas === undefined ? 'it has no content' : 'its content in the database has an unknown form';
    return { in: 'nowhere', why };
  }
  const bytes = Buffer.from(hex, 'hex');
  if (checksum && hash('sha1', bytes, 'hex') !== checksum) {
    return { in: 'nowhere', why: 'its content in the database has another SHA-1 than its column checksum' };
  }
  return { in: 'database', bytes };
}

const choiceWords = (choice: AttachmentChoice): string =>
  choice.kind === 'attachment' ? `attachment ${choice.id}` : `attachments of ${choice.model}/${choice.id}`;

const none = (choice: AttachmentChoice, rows: number): UserError =>
  new UserError(
    `The backup has no ${choiceWords(choice)}`,
    `Its ir_attachment has ${formatCounted(rows, 'row')}. Another backup may have it: the command list shows which there are.`,
  );

const tooMany = (choice: AttachmentChoice): UserError =>
  new UserError(
    `There are more ${choiceWords(choice)} than this program fetches at once: ${formatCount(MOST_ATTACHMENTS)}, or ${formatBytes(MOST_HELD)} of those that are in the database itself`,
    'Fetch them one by one, by their ids (attachment), or the table (table: ir_attachment).',
  );
