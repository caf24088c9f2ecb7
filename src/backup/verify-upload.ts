import { createHash } from 'node:crypto';
import type { Segment } from '../archive/segment.ts';
import type { ArchiveSummary } from '../archive/writer.ts';
import type { Proof, Tool } from '../catalog/proofs.ts';
import { isNotFound } from '../s3/sdk-errors.ts';
import { CopyError } from '../s3/server-copy.ts';
import type { Store } from '../s3/store.ts';
import type { Uploaded } from '../s3/upload.ts';
import { UserError } from '../util/errors.ts';

/** How much is asked for at once: reading it, also over a slow line, takes no longer than a connection is to last. */
const PIECE_BYTES = 64 * 1024 ** 2;

/**
 * Proof level `upload`: the object has the size that was sent, the MD5 of every part was compared while it was sent
 * (`upload` ends in an error otherwise), copies that no answer proved read back as what was recorded, each segment begins
 * where it should, and the central directory read back is the one that was written.
 *
 * @param archive null for a bare dump, which has neither segments nor directory
 * @throws UserError that says what differs, or CopyError when that is what was copied, or sent beside other segments
 */
export async function verifyUpload(
  store: Store,
  uploaded: Uploaded,
  archive: Pick<ArchiveSummary, 'segments' | 'directory'> | null,
  tool: Tool,
): Promise<Proof> {
  const { key, size } = uploaded;
  const { directory, segments = [] } = archive ?? {};
  // Read back while its size is asked for.
  const begins = segments.map((segment) => beginsAt(store, key, segment));
  for (const each of begins) each.catch(() => {}); // awaited below
  const reading = directory ? md5Of(store, key, directory.offset, directory.length) : undefined;
  reading?.catch(() => {}); // awaited below
  const head = await store.head(key);
  if (!head) throw damaged(`${store.uri(key)} is gone right after its upload`);
  if (head.size !== size) throw damaged(`${store.uri(key)} has ${head.size} bytes, but ${size} were sent`);
  if (directory) {
    const { offset, length } = directory;
    if (offset + length !== size) {
      throw damaged(
        `${store.uri(key)} has ${size} bytes, but its central directory ends at ${offset + length}`,
      );
    }
    const md5 = await reading;
    if (md5 !== directory.md5) {
      throw damaged(
        `The central directory of ${store.uri(key)} reads back with MD5 ${md5}, but ${directory.md5} was written`,
      );
    }
  }
  await Promise.all(begins);
  await readBack(store, uploaded);
  return { level: 'upload', at: new Date().toISOString(), tool };
}

/** Signature of a local header. */
const LOCAL_HEADER = Buffer.from('PK\x03\x04', 'latin1');

/**
 * A server can have all parts, with the right sizes and ETags, and lose some of them where it puts them together: behind
 * gaps in their numbers, which is where segments begin.
 *
 * @throws CopyError when a segment does not begin where it was written
 */
async function beginsAt(store: Store, key: string, { offset, length }: Segment): Promise<void> {
  if (length === 0) return;
  const lost = (cause?: unknown) =>
    new CopyError(`${store.uri(key)} was sent, and byte ${offset} of it is not what was sent`, { cause });
  const bytes = await store.read(key, offset, LOCAL_HEADER.length).catch((error) => {
    throw isNotFound(error.cause) ? lost(error) : error;
  });
  if (!bytes.equals(LOCAL_HEADER)) throw lost();
}

/** @throws CopyError when what the server copied is not what it should have copied */
async function readBack(store: Store, { key, copied }: Uploaded): Promise<void> {
  for (const { unit, offset } of copied?.unproven ?? []) {
    const md5 = await md5Of(store, key, offset, unit.length);
    if (md5 === unit.md5) continue;
    const range = `the ${unit.length} bytes of ${store.uri(copied?.from ?? '')} from byte ${unit.offset} on`;
    throw new CopyError(`A copy of ${range} reads back with MD5 ${md5}, but ${unit.md5} was written`);
  }
}

/** MD5 of a range of an object. What broke off is continued so often for each piece of it. */
async function md5Of(store: Store, key: string, offset: number, length: number): Promise<string> {
  const md5 = createHash('md5');
  for (let at = offset; at < offset + length; at += PIECE_BYTES) {
    await store.hash(key, at, Math.min(PIECE_BYTES, offset + length - at), md5);
  }
  return md5.digest('hex');
}

function damaged(message: string): UserError {
  return new UserError(
    message,
    'The archive got no receipt, so it does not count as a backup. Run the backup again.',
  );
}
