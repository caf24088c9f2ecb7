import type { Readable } from 'node:stream';
import type { FilestoreEntry } from '../backup-reader/filestore.ts';
import type { RestoreSource } from '../backup-reader/open.ts';
import { quoted } from '../util/controls.ts';
import { UserError } from '../util/errors.ts';
import { formatCounted } from '../util/format.ts';
import { only } from '../util/iterables.ts';

type FilestoreSource = Pick<RestoreSource, 'filestore' | 'description' | 'uri' | 'readFiles'>;

/** The file with that SHA-1. @throws UserError where the archive does not have it */
export function fileOfSha1(source: FilestoreSource, sha1: string): FilestoreEntry {
  // Very old versions of Odoo have three characters in the name of the folder.
  const names = [2, 3].map((length) => `${sha1.slice(0, length)}/${sha1}`);
  return fileNamed(source, names, `a file with the SHA-1 ${sha1}`);
}

/**
 * The file of one of these names.
 *
 * @param what it is, for messages
 * @throws UserError where the archive does not have it
 */
export function fileNamed(
  { filestore, description, uri }: FilestoreSource,
  names: readonly string[],
  what: string,
): FilestoreEntry {
  for (const name of names) {
    const file = filestore?.get(name);
    if (file) return file;
  }
  if (!filestore) {
    throw new UserError(
      `${uri} is a backup of the database alone, without ${what}`,
      'A backup with filestore: false has no attachments but those in the database itself. Choose another one.',
    );
  }
  const { missing = [], lost = [] } = description?.filestore ?? {};
  const wasMissing = names.some((name) => missing.includes(name) || lost.includes(name));
  throw new UserError(
    `The backup does not have ${what}${wasMissing ? ': it was missing on the host already when the backup was made' : ''}`,
    `Its filestore has ${formatCounted(filestore.size, 'file')}. An older backup may have it.`,
  );
}

/** The content of one file, checked against the SHA-1 of its name at its end. */
export async function* contentOfFile(source: FilestoreSource, file: FilestoreEntry): AsyncGenerator<Buffer> {
  for await (const { content } of source.readFiles([file])) {
    yield* Buffer.isBuffer(content) ? only(content) : (content as Readable as AsyncIterable<Buffer>);
  }
}

/** What a person should know of a file that the backup found torn. */
export const tornWarning = ({ name }: FilestoreEntry): string =>
  `${quoted(name)} was not what its name says on the host already, as the backup has said: it is fetched as it was`;
