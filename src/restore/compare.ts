import { countDifferences, countsOf, notKnownToLack, some } from '../backup-reader/differences.ts';
import { type AttachmentComparison, assertOdoo, compareAttachedFiles } from '../odoo/database.ts';
import { FileList } from '../odoo/file-list.ts';
import { listFilestore } from '../odoo/filestore.ts';
import { absentFrom } from '../odoo/staging.ts';
import { Snapshot } from '../postgres/snapshot.ts';
import { countTables } from '../postgres/table-counts.ts';
import { inOrder } from '../util/begun.ts';
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
  const { filestore } = work;
  const looking = assertOdoo(snapshot).then(() => whereLooked(work));
  const [, counts, absent, attached] = await inOrder(
    looking,
    countTables(snapshot, Object.keys(expected)),
    filestore ? absentFrom(filestore.staged, filestore.wanted) : Promise.resolve([]),
    looking.then((isThere) => compareAttachedFiles(snapshot, isThere)),
  );
  const differing = countDifferences(expected, counts);
  if (differing.length > 0) throw unlike(some(differing));
  if (Object.keys(expected).length > 0) {
    platform.info(
      `${formatCounted(Object.keys(expected).length, 'table')} have as many rows as when the backup was made`,
    );
  }
  if (absent.length > 0) throw unlike(`the new filestore lacks ${some(absent)}`);
  checkAttachments(work, attached);
}

function checkAttachments(work: Work, { count, absent: without }: AttachmentComparison): void {
  const { source, target, filestore, platform } = work;
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
