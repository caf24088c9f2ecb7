import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { HasEntry } from './central-directory.ts';
import { decodeEntry, likelyEnd, openEntry } from './entry.ts';
import type { RangeReader } from './ranges.ts';
import { readExactly } from './ranges.ts';

/** A file of the archive and its content, checked as `openEntry` does. */
export interface ReadFile<File> {
  readonly file: File;
  /** A stream where it is large. It has to be read before the next file is taken, else it is destroyed. */
  readonly content: Buffer | Readable;
}

/** Neighbouring files that one request brings. Offsets in bytes. */
interface Batch<File> {
  readonly files: File[];
  readonly offset: number;
  end: number;
}

/** Larger entries are streamed, in bytes. */
const HELD_BYTES = 4 * 2 ** 20;
/** What one request brings at most, unless a single entry is longer. */
const BATCH_BYTES = 8 * 2 ** 20;
/** Entries of one request at most: each is an object, with a part of the directory that it holds. */
const BATCH_ENTRIES = 1000;
/** Unwanted bytes between two entries that cost less than another request. */
const GAP_BYTES = 256 * 2 ** 10;
/** Requests under way or waiting to be taken: the memory this needs is that of so many batches. */
const AHEAD = 4;

/**
 * Reads many entries with few requests: small ones that lie near each other come together, several requests at once.
 * They come in the order in which they are given, which should be the order of their bytes: only neighbours that follow
 * each other come together. No more of them are taken than are under way.
 *
 * @throws UserError that names the entry whose content is not what the directory says
 */
export async function* readEntries<File extends HasEntry>(
  reader: RangeReader,
  files: Iterable<File>,
): AsyncGenerator<ReadFile<File>> {
  const batches = batchesOf(files, reader.size);
  const coming: { batch: Batch<File>; bytes: Promise<Buffer> | undefined }[] = [];
  for (;;) {
    while (coming.length < AHEAD) {
      const { value: batch } = batches.next();
      if (!batch) break;
      const bytes = isHeld(batch.files[0])
        ? readExactly(reader, batch.offset, batch.end - batch.offset)
        : undefined;
      bytes?.catch(() => {}); // thrown where it is awaited, unless nobody reads that far
      coming.push({ batch, bytes });
    }
    const next = coming.shift();
    if (!next) return;
    yield* contentsOf(reader, next.batch, await next.bytes);
  }
}

async function* contentsOf<File extends HasEntry>(
  reader: RangeReader,
  { files, offset }: Batch<File>,
  bytes: Buffer | undefined,
): AsyncGenerator<ReadFile<File>> {
  for (const file of files) {
    const { entry } = file;
    if (bytes) {
      const content = decodeEntry(bytes.subarray(entry.offset - offset), entry);
      yield { file, content: content ?? (await buffer(openEntry(reader, entry))) };
      continue;
    }
    const content = openEntry(reader, entry);
    try {
      yield { file, content };
    } finally {
      content.destroy();
    }
  }
}

const isHeld = (file: HasEntry | undefined): boolean =>
  file !== undefined && Math.max(file.entry.size, file.entry.compressedSize) <= HELD_BYTES;

function* batchesOf<File extends HasEntry>(
  files: Iterable<File>,
  archiveSize: number,
): Generator<Batch<File>, undefined> {
  let last: Batch<File> | undefined;
  for (const file of files) {
    const { entry } = file;
    const end = Math.min(likelyEnd(entry), archiveSize);
    const joins =
      last &&
      isHeld(last.files[0]) &&
      isHeld(file) &&
      last.files.length < BATCH_ENTRIES &&
      entry.offset >= last.offset &&
      entry.offset - last.end <= GAP_BYTES &&
      end - last.offset <= BATCH_BYTES;
    if (last && joins) {
      last.files.push(file);
      last.end = Math.max(last.end, end);
    } else {
      if (last) yield last;
      last = { files: [file], offset: entry.offset, end };
    }
  }
  if (last) yield last;
  return undefined;
}
