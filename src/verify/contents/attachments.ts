import { isEntryName } from '../../archive/directory.ts';
import type { BackupDescription } from '../../catalog/description.ts';
import { recordedName } from '../../odoo/manifest.ts';
import { ContentError } from '../../util/errors.ts';
import { formatCount, formatCounted } from '../../util/format.ts';

/** What the archive has of a filestore: `undefined` for a backup without one. */
export type HasFile = ((name: string) => boolean) | undefined;

/**
 * Every file that an attachment names is in the archive, or was missing on the host already, as the backup has said.
 *
 * @param dump its name, for messages
 * @param names of its attachments; undefined: the table is not in the dump
 * @throws ContentError that names the file, or says how many names there should be
 */
export function checkAttachments(
  dump: string,
  names: ReadonlySet<string> | undefined,
  description: BackupDescription,
  hasFile: HasFile,
): void {
  // The names of other storages (`s3://…`) are not files of the filestore.
  const files = [...(names ?? [])].filter((name) => !name.includes('://'));
  const expected = description.attachments.files;
  if (names === undefined || files.length !== expected) {
    const found =
      names === undefined ? 'no table ir_attachment' : formatCounted(files.length, 'attached file');
    throw new ContentError(
      `${JSON.stringify(dump)} holds ${found}, and the snapshot had ${formatCount(expected)} of them.`,
      'It is the dump of another moment, or of another database. Choose another backup.',
    );
  }
  if (!hasFile || !description.filestore) return;
  const { missing, lost } = description.filestore;
  const known = new Set([...missing, ...lost]);
  const gone = files.filter(
    (name) => !hasFile(name) && !known.has(recordedName(name)) && isEntryName(`filestore/${name}`),
  );
  if (gone.length === 0) return;
  const more = gone.length > 1 ? ` (and ${formatCounted(gone.length - 1, 'other file')})` : '';
  throw new ContentError(
    `${JSON.stringify(`filestore/${gone[0]}`)}${more} is not in the archive, and an attachment in ${JSON.stringify(dump)} has it.`,
    'The archive was changed after it was written. Choose another backup.',
  );
}
