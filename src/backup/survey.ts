import { isEntryName } from '../archive/directory.ts';
import { codeWords, type RunningCode } from '../odoo/code/code.ts';
import type { FoundCode } from '../odoo/code/find-code.ts';
import {
  type AttachmentFacts,
  assertOdoo,
  describeDatabase,
  eachAttachedFile,
  type OdooDatabase,
} from '../odoo/database.ts';
import { FileList } from '../odoo/file-list.ts';
import { listFilestore, type Skipped } from '../odoo/filestore.ts';
import type { Odoo } from '../odoo/installation.ts';
import { numbersOf } from '../odoo/numbering.ts';
import type { Platform } from '../platform/platform.ts';
import { checkLockRoom } from '../postgres/lock-room.ts';
import { restoreObstacles } from '../postgres/restore-obstacles.ts';
import type { Snapshot } from '../postgres/snapshot.ts';
import type { CountedTables } from '../postgres/table-counts.ts';
import { inOrder } from '../util/begun.ts';
import { BitSet } from '../util/bit-set.ts';
import { UserError } from '../util/errors.ts';
import { formatBytes, formatCount, formatCounted } from '../util/format.ts';
import { collectSooner } from '../util/garbage-collection.ts';
import { hasManyFiles } from './host-files.ts';
import { placeOf } from './location.ts';
import type { Source, Tolerate } from './source.ts';

/** What a survey reads, and what it puts up with. */
interface SurveyOptions {
  /** The code that Odoo runs. */
  readonly code: Promise<FoundCode>;
  readonly filestore: boolean;
  readonly countTables: CountedTables;
  readonly tolerate: Tolerate;
}

/**
 * Reads the facts of the snapshot, lists the filestore right after it (files only come and go, none is ever
 * rewritten), and tells both.
 *
 * @throws UserError when it is not an Odoo database, lacks a table that was to be counted, or `tolerate` refuses what
 * is missing
 */
export async function surveySource(
  odoo: Odoo,
  snapshot: Snapshot,
  { code: finding, filestore, countTables, tolerate }: SurveyOptions,
  platform: Platform,
): Promise<Source> {
  const listing = filestore ? listed(odoo) : Promise.resolve(undefined);
  const comparing = Promise.all([listing, assertOdoo(snapshot)]).then(([list]) => compare(snapshot, list));
  const [facts, found, obstacles, numbers, { attached, referenced, missing }] = await inOrder(
    describeDatabase(snapshot, countTables),
    listing,
    restoreObstacles(snapshot),
    numbersOf(snapshot),
    comparing,
  );
  const scarce = snapshot.lockRoom && checkLockRoom(snapshot.lockRoom);
  if (scarce !== undefined) platform.warning(scarce);
  assertCounted(facts, countTables);
  const modules = formatCounted(Object.keys(facts.modules).length, 'module');
  platform.info(
    `${odoo.database}: Odoo ${facts.odooVersion}, ${modules}, tables of ${formatBytes(facts.tableBytes)}`,
  );
  for (const obstacle of obstacles) {
    platform.warning(`${odoo.database} may not be restored as it is, because ${obstacle}`);
  }
  const code = tellCode(await finding, platform);
  if (facts.sequencesBehind === undefined) {
    platform.info(
      'The sequences were not compared with their tables: that is done by the role that owns the database (db-user)',
    );
  }
  tellLocation(facts.attachments, platform);
  tellElsewhere(facts.attachments, found ? tolerate : (problem) => platform.notice(`${problem}.`));
  const common = { odoo, snapshot, facts, code, numbers, obstacles, attached };
  if (!found) {
    if (attached > 0)
      platform.notice(`filestore is false: ${formatCounted(attached, 'attached file')} are left out.`);
    return { ...common, files: undefined, missing: [], skipped: [] };
  }
  const { list, skipped } = found;
  tellFilestore(odoo, { attached, onDisk: list.length + skipped.size, missing: missing.length }, platform);
  assertSomeFound(odoo, attached, missing);
  if (missing.length > 0)
    tolerate(`${formatCounted(missing.length, 'attached file')} missing on disk`, missing);
  tellSkipped(skipped, tolerate);
  return {
    ...common,
    files: { list, referenced },
    missing,
    skipped: [...skipped.keys()].map(printable),
  };
}

/** @returns the code, where it is known */
function tellCode(found: FoundCode, platform: Platform): RunningCode | undefined {
  if (!found.known) {
    platform.info(`Which code Odoo runs is not known: ${found.because}`);
    return undefined;
  }
  for (const words of codeWords(found.code)) platform.info(`Code: ${words}`);
  if (found.unseen.length > 0) {
    platform.info(
      `Which code is in ${found.unseen.join(', ')} is not known: no account that can be used may look`,
    );
  }
  return found.code;
}

/** A name that may hold anything but NUL, for a person to read. */
const printable = (name: string): string => name.replace(/\p{C}/gu, '\uFFFD');

interface FoundFiles {
  readonly list: FileList;
  /** Names of what is not archived, and why. */
  readonly skipped: ReadonlyMap<string, SkipReason>;
}

/** Why something in the filestore stays out. `unfit`: no zip archive can hold the name. */
type SkipReason = Skipped | 'unfit';

async function listed({ filestore }: Odoo): Promise<FoundFiles> {
  const [list, skipped] = [new FileList(), new Map<string, SkipReason>()];
  const skip = (name: string, why: SkipReason) => skipped.set(name, why);
  for await (const file of filestore ? listFilestore(filestore, skip) : []) {
    if (isEntryName(`filestore/${file.name}`)) list.add(file);
    else skip(file.name, 'unfit');
  }
  if (hasManyFiles(list)) collectSooner();
  return { list, skipped };
}

/**
 * Compares the files that attachments name with those that exist: how many are named, which exist, and which do not.
 */
async function compare(
  snapshot: Snapshot,
  found: FoundFiles | undefined,
): Promise<{ readonly attached: number; readonly referenced: BitSet; readonly missing: string[] }> {
  const referenced = new BitSet(found?.list.length ?? 0);
  const missing: string[] = [];
  let attached = 0;
  await eachAttachedFile(snapshot, (name) => {
    attached += 1;
    const number = found?.list.indexOf(name) ?? -1;
    if (number >= 0) referenced.add(number);
    else if (found && found.skipped.get(name) !== 'unfit') missing.push(name);
  });
  return { attached, referenced, missing };
}

/**
 * A filestore without a single one of the files that attachments name is the wrong folder, or no filestore.
 *
 * @throws UserError that names the folders
 */
function assertSomeFound(odoo: Odoo, attached: number, missing: readonly string[]): void {
  if (attached === 0 || missing.length < attached) return;
  const { filestore, lookedIn } = odoo;
  const files = formatCounted(attached, 'attached file');
  throw new UserError(
    filestore
      ? `None of the ${files} is in the filestore. Looked in: ${filestore.path}`
      : `There is no filestore, and ${files} should be in it. Looked in: ${lookedIn.join(', ')}`,
    'Set the input filestore to the folder of this database, or to false to back up the database alone.',
  );
}

const REASONS: readonly (readonly [SkipReason, (count: string) => string])[] = [
  ['unfit', (count) => `${count} with names that no zip archive can hold are left out`],
  ['name', (count) => `${count} with names that are not UTF-8 are left out`],
  [
    'link',
    (count) => `${count} that are symbolic links are left out: links inside a filestore are not followed`,
  ],
  ['special', (count) => `${count} that are sockets, pipes or devices are left out`],
  ['foreign', (count) => `${count} owned by other accounts than the filestore’s owner are left out`],
];

function tellSkipped(skipped: ReadonlyMap<string, SkipReason>, tolerate: Tolerate): void {
  for (const [reason, title] of REASONS) {
    const names = [...skipped].flatMap(([name, why]) => (why === reason ? [name] : []));
    if (names.length > 0) tolerate(title(formatCounted(names.length, 'file')), names);
  }
}

/** A name that is misspelt would never be compared. */
function assertCounted({ counts }: OdooDatabase, wanted: CountedTables): void {
  const absent = typeof wanted === 'string' ? [] : wanted.filter((table) => !(table in counts));
  if (absent.length === 0) return;
  throw new UserError(
    `count-tables: the database has no table ${absent.join(', ')}`,
    'Take it out of the input. A table outside of the schema public is named schema.table.',
  );
}

function tellLocation({ location }: AttachmentFacts, platform: Platform): void {
  if (location === 'file') return;
  const where = location === 'db' ? 'in the dump' : 'not in this backup';
  platform.notice(`ir_attachment.location is ${placeOf(location)}: what attachments keep there is ${where}.`);
}

function tellElsewhere({ elsewhere }: AttachmentFacts, tell: Tolerate): void {
  const storages = Object.keys(elsewhere);
  if (storages.length === 0) return;
  const count = Object.values(elsewhere).reduce((total, each) => total + each, 0);
  tell(`${formatCounted(count, 'attachment')} in other storages than the filestore are left out`, storages);
}

function tellFilestore(
  odoo: Odoo,
  {
    attached,
    onDisk,
    missing,
  }: { readonly attached: number; readonly onDisk: number; readonly missing: number },
  platform: Platform,
): void {
  if (odoo.filestore) {
    const found = formatCount(attached - missing);
    platform.info(
      `Filestore: ${formatCounted(onDisk, 'file')} on disk, with ${found} of ${formatCounted(attached, 'attached file')} among them`,
    );
  } else if (missing === 0) {
    platform.notice('There is no filestore on the host, and no attachment needs one.');
  }
}
