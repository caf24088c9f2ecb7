import { pipeline } from 'node:stream/promises';
import { counting, type Progress } from '../platform/progress.ts';
import type { Run } from '../platform/run.ts';
import { CancelledError } from '../util/errors.ts';
import { assertFree, NewFile, prepareFolder } from './new-file.ts';
import type { FetchRequest, FetchTarget } from './request.ts';

/** What was written. */
export interface FetchedFile {
  /** undefined: standard output. */
  readonly path: string | undefined;
  /** In bytes. */
  readonly size: number;
  /** SHA-1 of the content, for the file of an attachment. */
  readonly sha1?: string;
  /** Name that a person gave the attachment. It comes from the database. */
  readonly name?: string;
}

/** Where a run writes to. */
export interface FetchPlace {
  readonly target: FetchTarget;
  readonly stdout: NodeJS.WritableStream;
}

/**
 * Looks before anything is read whether the result can be written.
 *
 * @throws UserError where something is there already
 */
export async function assertTarget(request: FetchRequest, target: FetchTarget): Promise<void> {
  if (target.kind !== 'path') return;
  if (request.kind === 'record') await prepareFolder(target.path, target.replace);
  else await assertFree(target.path, target.replace);
}

/** Content that is yet to be read. */
export interface UnreadContent {
  /** The title of the phase that reads it. */
  readonly title: string;
  /** In bytes. */
  readonly size: number;
  readonly open: () => AsyncIterable<Buffer>;
}

/** `writeContent` as a phase of the run. */
export function transferContent(
  { title, size, open }: UnreadContent,
  place: FetchPlace,
  { phases }: Run,
): Promise<FetchedFile> {
  return phases.transfer('fetch', title, size, (progress) => writeContent(place, open(), progress));
}

/** Writes content to where it belongs. A file is there only when all of its content was right. */
export async function writeContent(
  { target, stdout }: FetchPlace,
  content: AsyncIterable<Buffer>,
  progress: Pick<Progress, 'add'>,
): Promise<FetchedFile> {
  let size = 0;
  const passed = counting(content, progress, (bytes) => bytes.length);
  if (target.kind === 'standard output') {
    const counted = async function* () {
      for await (const bytes of passed) {
        size += bytes.length;
        yield bytes;
      }
    };
    await toStandardOutput(stdout, counted());
    return { path: undefined, size };
  }
  await using file = await NewFile.create(target.path, target.replace);
  for await (const bytes of passed) {
    await file.write(bytes, size);
    size += bytes.length;
  }
  await file.place();
  return { path: target.path, size };
}

/** @throws CancelledError when whoever reads it has stopped (`| head`) */
export async function toStandardOutput(
  stdout: NodeJS.WritableStream,
  content: AsyncIterable<Buffer>,
): Promise<void> {
  try {
    await pipeline(content, stdout, { end: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
    throw new CancelledError('Standard output was closed before everything was written', '', 'SIGPIPE');
  }
}
