import { type BackupDescription, decodeDescription, MOST_FILES } from '../catalog/description.ts';
import type { FilestoreReport } from '../odoo/filestore.ts';
import { recordedName } from '../odoo/manifest.ts';
import { messageOf, UserError } from '../util/errors.ts';
import { tool } from '../util/version.ts';
import { schemeOf } from './location.ts';
import type { ArchiveOptions, Source } from './source.ts';

/**
 * What a restore needs to know of a backup.
 *
 * @param filestore null: the backup is without one
 * @param sizes of the content of members that are sealed
 * @throws UserError when a restore would refuse it
 */
export function describe(
  { odoo, snapshot, facts, attached, code, numbers }: Source,
  target: ArchiveOptions,
  filestore: FilestoreReport | null,
  sizes?: Readonly<Record<string, number>>,
): BackupDescription {
  const description: BackupDescription = {
    version: 1,
    tool,
    database: odoo.database,
    startedAt: target.startedAt.toISOString(),
    odooVersion: facts.odooVersion,
    code,
    postgres: {
      server: snapshot.postgres.version.text,
      pgDump: snapshot.postgres.client.major,
      ...facts.traits,
    },
    databaseBytes: facts.databaseBytes,
    extensions: facts.extensions,
    extensionState: facts.extensionState,
    roles: facts.roles,
    counts: facts.counts,
    sequencesBehind: facts.sequencesBehind,
    ...(numbers && { numbers: Object.fromEntries(numbers.map(({ key, last }) => [key, last])) }),
    attachments: {
      files: attached,
      inDatabase: facts.attachments.inDatabase,
      location: schemeOf(facts.attachments.location),
      elsewhere: facts.attachments.elsewhere,
    },
    filestore: filestore && {
      ...filestore,
      missing: recorded(filestore.missing),
      lost: recorded(filestore.lost),
      ...(filestore.skipped && { skipped: recorded(filestore.skipped) }),
    },
    sealed: target.recipients && { recipients: target.recipients.names, sizes },
  };
  try {
    return decodeDescription(description, 'backup.json');
  } catch (cause) {
    throw new UserError(
      `The backup of ${odoo.database} could not be restored: ${messageOf(cause)}`,
      'Rename or remove this in the database, then run the backup again.',
      { cause },
    );
  }
}

/** Names that anybody may have made up, of files that are not in the backup, as far as a restore reads them back. */
const recorded = (names: readonly string[]): string[] => names.slice(0, MOST_FILES).map(recordedName);
