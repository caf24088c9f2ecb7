import { hash } from 'node:crypto';
import { join } from 'node:path';
import type { FilestoreEntry } from '../backup-reader/filestore.ts';
import type { RestoreSource } from '../backup-reader/open.ts';
import type { Progress } from '../platform/progress.ts';
import type { Run } from '../platform/run.ts';
import { quoted } from '../util/controls.ts';
import { UserError } from '../util/errors.ts';
import { formatCounted } from '../util/format.ts';
import { only } from '../util/iterables.ts';
import type { DumpedAttachment } from './attachments.ts';
import { contentOfFile, fileNamed, tornWarning } from './filestore-file.ts';
import { attachmentFileName } from './names.ts';
import type { FetchTarget } from './request.ts';
import { type FetchedFile, writeContent } from './write.ts';

type FolderTarget = Extract<FetchTarget, { kind: 'path' }>;

/**
 * Writes attachments into a folder. One that cannot be fetched does not keep the others from it.
 *
 * @throws UserError that names those
 */
export async function writeAttachments(
  source: RestoreSource,
  found: readonly DumpedAttachment[],
  target: FolderTarget,
  run: Run,
): Promise<readonly FetchedFile[]> {
  const title = `Fetch ${formatCounted(found.length, 'attachment')}`;
  return run.phases.transfer('fetch', title, undefined, async (progress) => {
    const folder = new AttachmentFolder(target, run, progress);
    const { files, failures } = await folder.sort(source, found);
    const inOrder = [...files.values()].map(({ file }) => file);
    inOrder.sort((a, b) => a.entry.offset - b.entry.offset);
    for await (const { file, content } of source.readFiles(inOrder)) {
      if (file.sha1 === undefined) run.platform.warning(tornWarning(file));
      // The name of a torn file is all that is known of it.
      const sha1 = file.sha1 ?? file.name.replaceAll(/[^0-9a-f]/g, '');
      let first: AsyncIterable<Buffer> | undefined = Buffer.isBuffer(content) ? only(content) : content;
      for (const attachment of files.get(file.name)?.attachments ?? []) {
        const isWritten = await folder.put(sha1, attachment, first ?? contentOfFile(source, file));
        if (isWritten) first = undefined;
      }
    }
    if (failures.length === 0) return folder.written;
    const lines = [
      `${formatCounted(failures.length, 'attachment')} of ${found.length} could not be fetched:`,
    ];
    throw new UserError(
      [...lines, ...failures].join('\n  '),
      `The backup holds what is in the filestore and in the database. The others are in ${target.path}.`,
    );
  });
}

/** A file of the filestore, and the attachments that have it. */
interface AttachedFile {
  readonly file: FilestoreEntry;
  readonly attachments: readonly DumpedAttachment[];
}

/** The folder, and what was written into it. */
class AttachmentFolder {
  readonly written: FetchedFile[] = [];
  readonly #target: FolderTarget;
  readonly #run: Run;
  readonly #progress: Progress;
  /** In lower case: not all file systems tell letters apart. */
  readonly #names = new Set<string>();

  constructor(target: FolderTarget, run: Run, progress: Progress) {
    this.#target = target;
    this.#run = run;
    this.#progress = progress;
  }

  /** Writes what is in the database at once, and finds the files of the others. */
  async sort(
    source: RestoreSource,
    found: readonly DumpedAttachment[],
  ): Promise<{ readonly files: ReadonlyMap<string, AttachedFile>; readonly failures: readonly string[] }> {
    const files = new Map<string, AttachedFile>();
    const failures: string[] = [];
    for (const attachment of found) {
      const { id, content } = attachment;
      if (content.in === 'nowhere') failures.push(`Attachment ${id}: ${content.why}`);
      if (content.in === 'database') {
        await this.put(hash('sha1', content.bytes, 'hex'), attachment, only(content.bytes));
      }
      if (content.in !== 'filestore') continue;
      try {
        const file = fileNamed(source, [content.name], `its file, ${quoted(content.name)}`);
        const others = files.get(file.name)?.attachments ?? [];
        files.set(file.name, { file, attachments: [...others, attachment] });
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        failures.push(`Attachment ${id}: ${error.message}`);
      }
    }
    return { files, failures };
  }

  /** @returns false: a file of this content and name has been written already */
  async put(sha1: string, { id, name }: DumpedAttachment, content: AsyncIterable<Buffer>): Promise<boolean> {
    const fileName = attachmentFileName(sha1, name);
    this.#run.platform.info(`Attachment ${id}: ${fileName}`);
    if (this.#names.has(fileName.toLowerCase())) return false;
    this.#names.add(fileName.toLowerCase());
    const target = { ...this.#target, path: join(this.#target.path, fileName) };
    const written = await writeContent({ target, stdout: process.stdout }, content, this.#progress);
    this.written.push({ name, sha1, ...written });
    return true;
  }
}
