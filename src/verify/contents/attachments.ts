import { isEntryName } from '../../archive/directory.ts';
import type { BackupDescription } from '../../catalog/description.ts';
import { recordedName } from '../../odoo/manifest.ts';
import { ContentError } from '../../util/errors.ts';
import { formatCount, formatCounted } from '../../util/format.ts';
import type { AttachedFiles } from './attached-files.ts';

/**
 * Every file that an attachment names is in the archive, or was missing on the host already, as the backup has said.
 *
 * @param dump its name, for messages
 * @param attached files of its attachments; undefined: the table is not in the dump
 * @param hasFilestore whether the archive has a filestore
 * @throws ContentError that names the file, or says how many names there should be
 */
export function checkAttachments(
  dump: string,
  attached: AttachedFiles | undefined,
  description: BackupDescription,
  hasFilestore: boolean,
): void {
  const expected = description.attachments.files;
  if (attached?.count !== expected) {
    const found =
      attached === undefined ? 'no table ir_attachment' : formatCounted(attached.count, 'attached file');
    throw new ContentError(
      `${JSON.stringify(dump)} holds ${found}, and the snapshot had ${formatCount(expected)} of them.`,
      'It is the dump of another moment, or of another database. Choose another backup.',
    );
  }
  if (!hasFilestore || !description.filestore) return;
  const { missing, lost } = description.filestore;
  const known = new Set([...missing, ...lost]);
  const gone = [...attached.absent()].filter(
    (name) => !known.has(recordedName(name)) && isEntryName(`filestore/${name}`),
  );
  if (gone.length === 0) return;
  const more = gone.length > 1 ? ` (and ${formatCounted(gone.length - 1, 'other file')})` : '';
  throw new ContentError(
    `${JSON.stringify(`filestore/${gone[0]}`)}${more} is not in the archive, and an attachment in ${JSON.stringify(dump)} has it.`,
    'The archive was changed after it was written. Choose another backup.',
  );
}
