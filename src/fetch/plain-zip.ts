import { Readable } from 'node:stream';
import { tried } from '../archive/compressible.ts';
import { modifiedOf } from '../archive/dos-time.ts';
import type { RangeReader } from '../archive/ranges.ts';
import { readRange } from '../archive/ranges.ts';
import { readDirectory } from '../archive/reader.ts';
import type { SegmentWriter } from '../archive/segment-writer.ts';
import { walkArchive } from '../archive/walk.ts';
import { ArchiveWriter } from '../archive/writer.ts';
import { openDescription } from '../backup-reader/description.ts';
import { checkedContent, filestoreOf } from '../backup-reader/filestore.ts';
import { MemberContents } from '../backup-reader/member-contents.ts';
import { type Member, type Members, membersOf } from '../backup-reader/members.ts';
import { assertDirectory } from '../backup-reader/open.ts';
import { Seal, type SealedBackup } from '../backup-reader/seal.ts';
import { ContentSums } from '../backup-reader/sums.ts';
import type { Receipt } from '../catalog/receipt.ts';
import { LONGEST_HEADER } from '../sealing/header.ts';
import type { Identities } from '../sealing/identities.ts';
import { READ_AHEAD } from './download.ts';

/** A sealed backup that is to be opened. */
export interface SealedObject {
  readonly reader: RangeReader;
  readonly sealed: SealedBackup;
  readonly receipt: Receipt | undefined;
  readonly identities: Identities | undefined;
  /** The name of the object, for messages. */
  readonly name: string;
  /** Is told the bytes of the object, in their order. */
  readonly seen: (bytes: Buffer) => void;
}

/** Level of deflate: what is packed here was as well, or is worth little more. */
const LEVEL = 1;

/**
 * A sealed backup as it would be if it was not sealed: the standard zip, or the bare dump.
 *
 * @returns undefined where it is not sealed, as its receipt says, or it itself
 * @throws UserError when the identities do not open it
 * @throws ContentError where it is not what was written, before or while the bytes are taken
 */
export async function openObject(object: SealedObject): Promise<AsyncIterable<Buffer> | undefined> {
  const { reader, receipt } = object;
  if (receipt && !receipt.sealed) return undefined;
  const start = await reader.read(0, Math.min(LONGEST_HEADER, reader.size));
  if (start.toString('latin1', 0, AGE.length) === AGE) return openDump(object, start);
  if (start.toString('latin1', 0, 2) !== 'PK') return undefined;
  const archive = await readDirectory(reader);
  if (receipt) assertDirectory(receipt, archive.directory, object.sealed.uri);
  const members = await membersOf(archive);
  if (!members.isSealed) return undefined;
  return plainZip(object, members, archive.directory.offset);
}

/** How a file of age begins. */
const AGE = 'age-encryption.org/v1\n';

async function openDump(object: SealedObject, start: Buffer): Promise<AsyncIterable<Buffer>> {
  const { name, sealed, identities, receipt, reader, seen } = object;
  const seal = await Seal.open(start, name, sealed, identities);
  const stored = new ContentSums(receipt?.sums).compared(name, seenBytes(reader, seen));
  return seal.unsealed(name, stored);
}

async function plainZip(object: SealedObject, members: Members, end: number): Promise<AsyncIterable<Buffer>> {
  const { reader, receipt } = object;
  const sums = new ContentSums(receipt?.sums);
  const { description, seal } = await openDescription(object, members, sums);
  const contents = new MemberContents(reader, { sums, seal });
  const { corrupt = [] } = description?.filestore ?? {};
  const filestore = (await filestoreOf(members, undefined, corrupt, contents))?.files;

  /** Checked against the receipt, or its name. */
  async function opened({ entry, ...member }: Member, stored: Buffer | AsyncIterable<Buffer>) {
    const checked = sums.checked(entry.name, Buffer.isBuffer(stored) ? stored : streamOf(stored));
    const content = seal?.opens(entry.name) ? await seal.content(entry.name, checked) : checked;
    const file = filestore?.of({ entry, ...member });
    return file ? checkedContent(file, content) : content;
  }

  async function write(segment: SegmentWriter): Promise<void> {
    for await (const { file: member, content } of walkArchive(reader, members.all(), end, object.seen)) {
      const { deflate, source } = await tried(await opened(member, content));
      await segment.add(member.name, source, { deflate, modified: modifiedOf(member.entry) });
    }
  }
  return written(write);
}

/** What is written into an archive with one segment, while it is read. */
async function* written(write: (segment: SegmentWriter) => Promise<void>): AsyncGenerator<Buffer> {
  await using writer = new ArchiveWriter({ level: LEVEL });
  const segment = writer.segment('database');
  const writing = write(segment).then(
    () => writer.finish(),
    (error) => {
      throw writer.fail(error);
    },
  );
  writing.catch(() => {}); // the reader of the segment sees it
  yield* segment.output as AsyncIterable<Buffer>;
  yield* writer.directory as AsyncIterable<Buffer>;
  await writing;
}

async function* seenBytes(reader: RangeReader, seen: (bytes: Buffer) => void): AsyncGenerator<Buffer> {
  for await (const bytes of readRange(reader, 0, reader.size, READ_AHEAD)) {
    seen(bytes);
    yield bytes;
  }
}

const streamOf = (content: AsyncIterable<Buffer>): Readable => Readable.from(content, { objectMode: false });
