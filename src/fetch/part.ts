import { hash } from 'node:crypto';
import type { FilestoreEntry } from '../backup-reader/filestore.ts';
import type { RestoreSource } from '../backup-reader/open.ts';
import type { Run } from '../platform/run.ts';
import type { TableName } from '../postgres/table-pieces.ts';
import { quoted } from '../util/controls.ts';
import { UserError } from '../util/errors.ts';
import { formatCounted } from '../util/format.ts';
import { only } from '../util/iterables.ts';
import { type DumpedAttachment, findAttachments } from './attachments.ts';
import { contentOfFile, fileNamed, fileOfSha1, tornWarning } from './filestore-file.ts';
import { findMember } from './members.ts';
import { writeAttachments } from './record.ts';
import { type FetchRequest, requestWords } from './request.ts';
import { tableSql, withTable } from './table.ts';
import { type FetchedFile, type FetchPlace, transferContent, writeContent } from './write.ts';

export type PartRequest = Exclude<FetchRequest, { kind: 'archive' }>;

/**
 * Writes one part of a backup.
 *
 * @throws UserError where there is no such thing, with what there is
 * @throws ContentError where it is not what the archive says
 */
export async function fetchPart(
  source: RestoreSource,
  request: PartRequest,
  place: FetchPlace,
  run: Run,
): Promise<readonly FetchedFile[]> {
  switch (request.kind) {
    case 'member':
      return [await writeMember(source, request.name, place, run)];
    case 'content':
      return [await writeFile(source, fileOfSha1(source, request.sha1), place, run)];
    case 'table':
      return [await writeTable(source, request.table, place, run)];
    case 'attachment': {
      const found = await findAttachments(source, request, run);
      return Promise.all(found.map((each) => writeAttachment(source, each, place, run)));
    }
    case 'record':
      return writeRecord(source, request, place, run);
  }
}

function writeMember(
  source: RestoreSource,
  asked: string,
  place: FetchPlace,
  run: Run,
): Promise<FetchedFile> {
  const file = findMember(source, asked);
  const ofFilestore = source.filestore?.named(file.name);
  if (ofFilestore) return writeFile(source, ofFilestore, place, run);
  return transferContent(
    { title: `Fetch ${quoted(file.name)}`, size: file.size, open: () => file.open() },
    place,
    run,
  );
}

async function writeFile(
  source: RestoreSource,
  file: FilestoreEntry,
  place: FetchPlace,
  run: Run,
): Promise<FetchedFile> {
  if (file.sha1 === undefined) run.platform.warning(tornWarning(file));
  const title = `Fetch ${quoted(`filestore/${file.name}`)}`;
  const written = await transferContent(
    { title, size: file.size, open: () => contentOfFile(source, file) },
    place,
    run,
  );
  return { ...written, ...(file.sha1 === undefined ? {} : { sha1: file.sha1 }) };
}

function writeTable(
  source: RestoreSource,
  wanted: TableName,
  place: FetchPlace,
  run: Run,
): Promise<FetchedFile> {
  const title = `Look for ${requestWords({ kind: 'table', table: wanted })} in the dump`;
  return run.phases.transfer('dump', title, undefined, (progress) =>
    withTable(source, wanted, progress, (table) =>
      writeContent(place, tableSql(table, wanted), { add: () => {} }),
    ),
  );
}

async function writeAttachment(
  source: RestoreSource,
  { id, name, content }: DumpedAttachment,
  place: FetchPlace,
  run: Run,
): Promise<FetchedFile> {
  switch (content.in) {
    case 'filestore': {
      const what = `the file of attachment ${id}, ${quoted(content.name)}`;
      return { name, ...(await writeFile(source, fileNamed(source, [content.name], what), place, run)) };
    }
    case 'database': {
      const { bytes } = content;
      const title = `Write attachment ${id}`;
      const written = await transferContent(
        { title, size: bytes.length, open: () => only(bytes) },
        place,
        run,
      );
      return { name, sha1: hash('sha1', bytes, 'hex'), ...written };
    }
    case 'nowhere':
      throw new UserError(
        `Attachment ${id}, ${quoted(name)}, cannot be fetched: ${content.why}`,
        'The backup holds what is in the filestore and in the database.',
      );
  }
}

/** All attachments of a record, into a folder; to standard output, if there is just one. */
async function writeRecord(
  source: RestoreSource,
  request: Extract<PartRequest, { kind: 'record' }>,
  place: FetchPlace,
  run: Run,
): Promise<readonly FetchedFile[]> {
  const found = await findAttachments(source, request, run);
  if (place.target.kind === 'path') return writeAttachments(source, found, place.target, run);
  const [first, ...others] = found;
  if (first && others.length === 0) return [await writeAttachment(source, first, place, run)];
  throw new UserError(
    `There are ${formatCounted(found.length, 'attachment')} of ${request.model}/${request.id}, and standard output takes one`,
    'Name a folder with output, or one of them with attachment: its id.',
  );
}
