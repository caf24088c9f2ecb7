import type { DirectoryEntry } from '../../archive/central-directory.ts';
import { readDirectory } from '../../archive/reader.ts';
import type { Directory } from '../../archive/segment.ts';
import type { CheckedRange } from '../../archive/units.ts';
import { walkArchive } from '../../archive/walk.ts';
import { openDescription } from '../../backup-reader/description.ts';
import { checkFile, type FilestoreEntry, filestoreOf } from '../../backup-reader/filestore.ts';
import { MemberContents } from '../../backup-reader/member-contents.ts';
import { type Members, membersOf } from '../../backup-reader/members.ts';
import type { Seal } from '../../backup-reader/seal.ts';
import { ContentSums } from '../../backup-reader/sums.ts';
import type { BackupDescription } from '../../catalog/description.ts';
import type { Receipt } from '../../catalog/receipt.ts';
import { ContentError, messageOf } from '../../util/errors.ts';
import { formatBytes, formatCounted } from '../../util/format.ts';
import { only } from '../../util/iterables.ts';
import { checkAttachments } from './attachments.ts';
import { type DumpCheck, dumpsOf } from './dumps.ts';
import type { Look } from './look.ts';

/**
 * Reads an archive back, once.
 * @returns what was found, in one line
 * @throws ContentError that names the entry which is not what it should be
 */
export async function checkArchive(look: Look, receipt: Receipt): Promise<string> {
  const { reader, uri, units } = look;
  const doubts = new Doubts(uri);
  if (reader.size !== receipt.size) doubts.add(`it has ${reader.size} bytes instead of ${receipt.size}`);
  const { directory, members } = await listMembers(look, doubts);
  const written = receipt.directory;
  const isOther = written?.sha256 !== undefined && written.sha256 !== directory.sha256;
  if (directory.md5 !== written?.md5 || isOther) {
    doubts.add('its central directory is not the one that was written');
  }
  await checkEntries(look, receipt, members, directory.offset);
  if (units.broken) throw otherBytes(units.broken, members);
  doubts.settle();
  return `${formatCounted(members.size, 'file')}, ${formatBytes(reader.size)}: all of it is what was written`;
}

/** What is wrong with the archive as a whole. It is told where no entry says more. */
class Doubts {
  readonly #uri: string;
  readonly #doubts: string[] = [];

  constructor(uri: string) {
    this.#uri = uri;
  }

  add(doubt: string): void {
    this.#doubts.push(doubt);
  }

  settle(cause?: unknown): void {
    if (this.#doubts.length === 0) return;
    throw new ContentError(
      `${this.#uri} is not the archive that was written: ${this.#doubts.join(', and ')}.`,
      'It was cut short, damaged or replaced since the backup. Choose another one.',
      { cause },
    );
  }
}

async function listMembers(
  { reader }: Look,
  doubts: Doubts,
): Promise<{ readonly directory: Directory; readonly members: Members }> {
  try {
    const archive = await readDirectory(reader);
    return { directory: archive.directory, members: await membersOf(archive) };
  } catch (error) {
    if (!(error instanceof ContentError)) throw error;
    doubts.add(`its central directory cannot be read (${messageOf(error).replace(/\.$/, '')})`);
    doubts.settle(error);
    throw error;
  }
}

async function checkEntries(look: Look, receipt: Receipt, members: Members, end: number): Promise<void> {
  const sums = new ContentSums(receipt.sums);
  const { description, seal } = await describe(look, members, sums);
  const contents = new MemberContents(look.reader, { sums, seal });
  const { corrupt = [] } = description.filestore ?? {};
  const filestore = (await filestoreOf(members, receipt.database, corrupt, contents))?.files;
  await using dumps = await dumpsOf(look, receipt, members, contents);
  for await (const { file: member, content } of walkArchive(look.reader, members.all(), end, look.seen)) {
    const { name, entry } = member;
    const checked = compared(sums, entry.name, content);
    const opened = seal?.opens(entry.name) ? await seal.content(entry.name, checked) : checked;
    await checkContent(opened, filestore?.of(member), dumps.of.get(name));
  }
  for (const { name, files } of await dumps.finish()) {
    checkAttachments(name, files, description, receipt.filestore !== null);
  }
}

function compared(
  sums: ContentSums,
  name: string,
  content: Buffer | AsyncIterable<Buffer>,
): Buffer | AsyncIterable<Buffer> {
  if (!sums.has(name)) return content;
  if (!Buffer.isBuffer(content)) return sums.compared(name, content);
  sums.compare(name, content);
  return content;
}

async function checkContent(
  content: Buffer | AsyncIterable<Buffer>,
  file: FilestoreEntry | undefined,
  dump: DumpCheck | undefined,
): Promise<void> {
  if (dump) await dump(Buffer.isBuffer(content) ? only(content) : content);
  else if (file) await checkFile(file, content);
  else if (!Buffer.isBuffer(content)) for await (const _ of content);
}

/** It is the archive's last entry, and says what to expect of the others. */
async function describe(
  look: Look,
  members: Members,
  sums: ContentSums,
): Promise<{ readonly description: BackupDescription; readonly seal: Seal | undefined }> {
  const { description, seal } = await openDescription(look, members, sums);
  if (description) return { description, seal };
  throw new ContentError(
    `"backup.json" is not in ${look.uri}.`,
    'The archive was changed. Choose another backup.',
  );
}

/**
 * Every entry is what the directory says, but these bytes are others than were sent: extra fields, or between entries.
 */
function otherBytes({ offset, length }: CheckedRange, members: Members): ContentError {
  let first: DirectoryEntry | undefined;
  let last: DirectoryEntry | undefined;
  for (const entry of members.values()) {
    if (entry.offset >= offset + length) break;
    if (!first || entry.offset <= offset) first = entry;
    last = entry;
  }
  const place = [first, last].map((entry) => JSON.stringify(entry?.name)).join(' to ');
  return new ContentError(
    `The bytes ${offset} to ${offset + length} of the archive, ${place}, are not those that were written.`,
    'The archive was damaged or changed after it was written. Choose another backup.',
  );
}
