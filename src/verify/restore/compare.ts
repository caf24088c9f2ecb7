import { countDifferences, countsOf, notKnownToLack, some } from '../../backup-reader/differences.ts';
import type { RestoreSource } from '../../backup-reader/open.ts';
import { compareAttachedFiles } from '../../odoo/database.ts';
import type { Platform } from '../../platform/platform.ts';
import type { Run } from '../../platform/run.ts';
import { checkSequences } from '../../postgres/sequences.ts';
import { Snapshot } from '../../postgres/snapshot.ts';
import { countTables } from '../../postgres/table-counts.ts';
import { databaseExtensions } from '../../postgres/traits.ts';
import { ContentError } from '../../util/errors.ts';
import { formatCounted } from '../../util/format.ts';
import type { TestServer } from './servers/server.ts';

/**
 * Compares a restored database with what was recorded when it was backed up: the rows of tables, extensions, sequences,
 * and the files that its attachments name.
 *
 * @throws ContentError that names each thing which is not as it was
 */
export async function compareRestored(
  source: RestoreSource,
  { app }: TestServer,
  database: string,
  { platform, signal }: Run,
): Promise<void> {
  await using snapshot = await Snapshot.open(app, database);
  const end = () => void snapshot[Symbol.asyncDispose]();
  signal.addEventListener('abort', end, { once: true });
  try {
    await compareAll(source, snapshot, platform);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', end);
  }
}

async function compareAll(source: RestoreSource, snapshot: Snapshot, platform: Platform): Promise<void> {
  const differences = [
    ...(await compareCounts(source, snapshot, platform)),
    ...(await compareExtensions(source, snapshot, platform)),
    ...(await compareSequences(source, snapshot, platform)),
    ...(await compareAttachments(source, snapshot, platform)),
  ];
  if (differences.length === 0) return;
  throw new ContentError(
    `What was restored is not what was backed up: ${differences.join('; ')}`,
    'Make another backup, and find out what happened to this one. Do not restore from it.',
  );
}

async function compareCounts(
  source: RestoreSource,
  snapshot: Snapshot,
  platform: Platform,
): Promise<string[]> {
  const expected = countsOf(source);
  const tables = Object.keys(expected);
  const differing = countDifferences(expected, await countTables(snapshot, tables));
  if (differing.length > 0) return [some(differing)];
  const rows = Object.values(expected).reduce((sum, each) => sum + each, 0);
  platform.info(
    `${formatCounted(tables.length, 'table')} with ${formatCounted(rows, 'row')}, as in the backup`,
  );
  return [];
}

async function compareExtensions(
  { description }: RestoreSource,
  snapshot: Snapshot,
  platform: Platform,
): Promise<string[]> {
  const expected = description?.extensions ?? [];
  const found = new Map((await databaseExtensions(snapshot)).map(({ name, version }) => [name, version]));
  const absent = expected.filter(({ name }) => !found.has(name)).map(({ name }) => name);
  if (absent.length > 0) return [`it lacks the extension ${absent.join(', ')}`];
  // A dump names no version: the server that it is restored to has its own.
  const other = expected.filter(({ name, version }) => found.get(name) !== version);
  for (const { name, version } of other) {
    platform.info(`The extension ${name} is ${found.get(name)} here, and was ${version} in the backup`);
  }
  const names = expected.map(({ name, version }) => `${name} ${version}`);
  if (names.length > 0) platform.info(`Extensions: ${names.join(', ')}`);
  return [];
}

async function compareSequences(
  { description }: RestoreSource,
  snapshot: Snapshot,
  platform: Platform,
): Promise<string[]> {
  const compared = await checkSequences(snapshot);
  if (!compared) {
    platform.info(
      'The sequences were not compared with their tables: a superuser does not query tables that others own',
    );
    return [];
  }
  const { count, behind } = compared;
  const before = new Set(description?.sequencesBehind);
  const since = behind.filter(({ sequence }) => !before.has(sequence));
  if (since.length > 0) {
    const words = since.map(
      ({ sequence, column, last, highest }) =>
        `${sequence} is at ${last}, and ${column} goes up to ${highest}`,
    );
    return [`the sequence ${some(words)}`];
  }
  const but = behind.length > 0 ? `, but for ${behind.length} that were not when it was backed up` : '';
  platform.info(`${formatCounted(count, 'sequence')} at or beyond the values in use${but}`);
  return [];
}

async function compareAttachments(
  source: RestoreSource,
  snapshot: Snapshot,
  platform: Platform,
): Promise<string[]> {
  const { filestore, description } = source;
  if (!filestore) return [];
  const { count, absent } = await compareAttachedFiles(snapshot, (name) => filestore.has(name));
  const recorded = description?.attachments.files;
  if (recorded !== undefined && count !== recorded) {
    return [`attachments name ${formatCounted(count, 'file')} instead of ${recorded}`];
  }
  const unexpected = notKnownToLack(source, absent);
  if (unexpected.length > 0) {
    return [
      `the archive lacks ${formatCounted(unexpected.length, 'file')} of attachments: ${some(unexpected)}`,
    ];
  }
  const lacking = absent.length > 0 ? `, ${absent.length} of which were missing when it was made` : '';
  platform.info(`${formatCounted(count, 'file')} of attachments in the archive${lacking}`);
  return [];
}
