import { countDifferences, countsOf, notKnownToLack, some } from '../backup-reader/differences.ts';
import { compareAttachedFiles, describeDatabase } from '../odoo/database.ts';
import { FileList } from '../odoo/file-list.ts';
import { listFilestore } from '../odoo/filestore.ts';
import { absentFrom } from '../odoo/staging.ts';
import { Snapshot } from '../postgres/snapshot.ts';
import { UserError } from '../util/errors.ts';
import { formatCounted } from '../util/format.ts';
import type { Work } from './work.ts';

/**
 * Compares what was built with what was backed up: the rows of the tables that were counted then, and that every
 * attachment of the new database has its file.
 *
 * @throws UserError where they differ
 */
export async function compareWithBackup(work: Work): Promise<void> {
  const { source, findings, databases, platform } = work;
  await using snapshot = await Snapshot.open(findings.loader, databases.new);
  const skipped = new Set(work.request.skipTables.map((table) => table.replace(/^public\./, '')));
  const expected = Object.fromEntries(
    Object.entries(countsOf(source)).filter(([table]) => !skipped.has(table)),
  );
  const facts = await describeDatabase(snapshot, Object.keys(expected));
  const differing = countDifferences(expected, facts.counts);
  if (differing.length > 0) throw unlike(some(differing));
  if (Object.keys(expected).length > 0) {
    platform.info(
      `${formatCounted(Object.keys(expected).length, 'table')} have as many rows as when the backup was made`,
    );
  }
  await compareAttachments(work, snapshot);
}

async function compareAttachments(work: Work, snapshot: Snapshot): Promise<void> {
  const { source, target, filestore, platform } = work;
  if (filestore) {
    const absent = await absentFrom(filestore.staged, filestore.wanted);
    if (absent.length > 0) throw unlike(`the new filestore lacks ${some(absent)}`);
  }
  const { count, absent: without } = await compareAttachedFiles(snapshot, await whereLooked(work));
  const unexpected = notKnownToLack(source, without);
  if (unexpected.length > 0 && filestore) throw unlike(`attachments lack their files: ${some(unexpected)}`);
  if (without.length > 0) {
    const where = filestore
      ? 'in the backup'
      : `in ${target.filestore?.path ?? 'any filestore of this restore'}`;
    platform.warning(
      `${formatCounted(without.length, 'attachment')} have no file ${where}, such as ${some(without)}`,
    );
  } else {
    platform.info(`All files of attachments are there: ${formatCounted(count, 'file')}`);
  }
}

/** Whether a file of an attachment is where Odoo will look. */
async function whereLooked({ source, target, filestore }: Work): Promise<(name: string) => boolean> {
  if (filestore) return (name) => source.filestore?.has(name) ?? false;
  if (!target.filestore?.exists) return () => false;
  const there = new FileList();
  for await (const file of listFilestore(target.filestore)) there.add(file);
  return (name) => there.indexOf(name) >= 0;
}

/** Nothing has been put in place yet. */
function unlike(what: string): UserError {
  return new UserError(
    `What was restored is not what was backed up: ${what}`,
    'Nothing was put in place. Choose another backup, and see the log for what happened to this one.',
  );
}
