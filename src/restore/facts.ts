import { basename } from 'node:path/posix';
import type { RestoreSource } from '../backup-reader/open.ts';
import { failedProof, levelOf, unrestorableProof } from '../catalog/proofs.ts';
import { sealedWords, signerWords } from '../catalog/words.ts';
import type { FileSystem } from '../host/disk-space.ts';
import type { FileCount } from '../odoo/file-list.ts';
import type { Platform } from '../platform/platform.ts';
import { plainFacts } from '../report/plain.ts';
import { code, type Facts } from '../report/summary.ts';
import { formatAge, formatBytes, formatCounted, formatInstant } from '../util/format.ts';
import { codeFacts } from './code.ts';
import { keptUntil, leftBy } from './leftovers/keeping.ts';
import type { Replaced } from './leftovers/leftovers.ts';
import { lossFacts } from './losses.ts';
import { type Findings, filestoreBytes, sessionName } from './preflight/findings.ts';
import type { Target } from './target.ts';

type Rows = Facts['rows'];

/** Tells what was found on the host. */
export function tellTarget(
  { site, installation, filestore, admin, postgres }: Target,
  platform: Platform,
): void {
  const { conf } = installation;
  for (const note of site.notes) platform.info(note);
  if (conf) platform.info(`odoo.conf: ${conf.path}`);
  platform.info(`PostgreSQL ${postgres.version.text}, ${postgres.identity}`);
  if (admin !== postgres) platform.info(`Databases are created and renamed by ${admin.identity}`);
  if (filestore) {
    platform.info(
      `Filestore: ${filestore.path}, of ${filestore.owner}${filestore.exists ? '' : '; not there yet'}`,
    );
  }
}

/** What there is: the backup, what it would replace, and what that takes. The same for the log and for the summary. */
export function factsOf(source: RestoreSource, target: Target, findings: Findings, inPlace: boolean): Rows {
  return [
    ...backupFacts(source),
    ...replacedFacts(target, findings),
    ...lossFacts(findings.losses, new Date()),
    ...codeFacts(findings.code),
    ...filestoreFacts(target, findings, source),
    ['Space', spaceOf(target, findings)],
    ...(findings.passed.length > 0 ? ([['Checked', findings.passed.join('; ')]] as const) : []),
    ...odooFacts(target, findings),
    ...leftFacts(target, inPlace),
  ];
}

/** The same for a copy that is there for the time of a run. */
export function copyFacts(source: RestoreSource, target: Target, findings: Findings): Rows {
  return [
    ...backupFacts(source),
    ...filestoreFacts(target, findings, source),
    ['Space', spaceOf(target, findings)],
    ...(findings.passed.length > 0 ? ([['Checked', findings.passed.join('; ')]] as const) : []),
  ];
}

/** What earlier runs have replaced and holds data. */
function leftFacts({ leftovers: { interrupted, kept } }: Target, inPlace: boolean): Rows {
  const left = interrupted.map((pair) => `${pairName(pair)}, ${leftBy(pair, inPlace)}`);
  const before = kept.map((pair) => [pairName(pair), keptUntil(pair)].filter(Boolean).join(', '));
  return [
    ...(left.length > 0 ? ([['Left over', left.join('; ')]] as const) : []),
    ...(before.length > 0 ? ([['Kept so far', before.join('; ')]] as const) : []),
  ];
}

export function tellFindings(facts: Rows, { problems }: Findings, platform: Platform): void {
  for (const line of plainFacts(facts).split('\n')) platform.info(line);
  for (const { message, hint } of problems) platform.info(`In the way: ${message}\n  ${hint}`);
}

/** Which backup, and how old it is. */
export function backupFacts(source: RestoreSource): Rows {
  const { uri, createdAt, size, odooVersion, receipt, database } = source;
  const commit = receipt?.run.commit;
  const made = createdAt ? `${formatInstant(createdAt)}, ${formatAge(createdAt, new Date())}` : 'unknown';
  const server = receipt?.postgres.server ?? source.description?.postgres.server;
  const of = [database, odooVersion && `Odoo ${odooVersion}`, server && `PostgreSQL ${server}`];
  return [
    ['Backup', code(uri)],
    ['Made', `${made}${commit ? `, by a job of commit ${commit.slice(0, 8)}` : ''}`],
    ...signedRow(source),
    ...(receipt?.sealed ? ([['Sealed', sealedWords(receipt)]] as const) : []),
    ['Content', `${[...of, formatBytes(size)].filter(Boolean).join(', ')}; ${provenHow(source)}`],
  ];
}

/** `verified (upload)` */
export function provenHow({ receipt, authorship }: Pick<RestoreSource, 'receipt' | 'authorship'>): string {
  if (!receipt)
    return authorship ? 'not verified: its receipt does not count' : 'not verified: it has no receipt';
  const failure = failedProof(receipt);
  if (failure) return `it did NOT pass its verification (${failure.level})`;
  const said = unrestorableProof(receipt)?.failure;
  return `verified (${levelOf(receipt)})${said === undefined ? '' : `. Its restore test said: ${said}`}`;
}

/** By whom, or that nobody has. */
function signedRow({ authorship }: RestoreSource): Rows {
  if (!authorship) return []; // there is no receipt, which is told already
  if (authorship.kind === 'refused') return [['Signed', `NOT to be trusted: its receipt ${authorship.why}`]];
  return [['Signed', signerWords(authorship) || 'no']];
}

function replacedFacts({ database, current }: Target, { sessions }: Findings): Rows {
  if (!current) return [['Replaces', ['nothing: there is no database ', code(database), ' on the host']]];
  const size = current.bytes === null ? 'of unknown size' : formatBytes(current.bytes);
  const connected = sessions.map((each) => `${sessionName(each)}${each.count > 1 ? ` × ${each.count}` : ''}`);
  const users = connected.length > 0 ? `connected now: ${connected.join(', ')}` : 'nobody is connected';
  return [['Replaces', ['the database ', code(database), `, ${size}; ${users}`]]];
}

function filestoreFacts(target: Target, { difference }: Findings, { filestore }: RestoreSource): Rows {
  if (!difference || !filestore) return [];
  const { missing, onlyLive } = difference;
  const there = formatCounted(filestore.size - missing.files, 'file');
  const added = onlyLive.files > 0 ? `${filesOf(onlyLive)}, not in the backup` : 'no files';
  return [
    ['Filestore', `${there} of the backup on the host already, ${filesOf(missing)} to be fetched`],
    ...(target.filestore?.exists ? ([['Added since', added]] as const) : []),
  ];
}

/** `2 files (28.7 KiB)` */
export const filesOf = ({ files, bytes }: FileCount): string =>
  files === 0 ? 'none' : `${formatCounted(files, 'file')} (${formatBytes(bytes)})`;

function spaceOf(
  { admin }: Target,
  { databaseBytes, databaseDisk, difference, filestoreDisk }: Findings,
): string {
  const of = (what: string, bytes: number, disk: FileSystem | undefined, unknown: string) =>
    `${what} ${formatBytes(bytes)}${disk ? ` of ${formatBytes(disk.free)} free in ${disk.mount}` : `, ${unknown}`}`;
  const elsewhere = admin.isLocal ? '' : 'on another machine, ';
  return [
    of('database about', databaseBytes, databaseDisk, `${elsewhere}free space unknown`),
    ...(difference ? [of('filestore', filestoreBytes(difference), filestoreDisk, 'free space unknown')] : []),
  ].join('; ');
}

function odooFacts({ services }: Target, { stops, running, answer }: Findings): Rows {
  if (!services || !stops) return [['Downtime', 'none: nothing has to stop']];
  const idle = services.units.filter((unit) => !running?.includes(unit));
  const state =
    running === undefined
      ? []
      : [
          ...(running.length > 0 ? [`${running.join(', ')} runs`] : []),
          ...(idle.length > 0 ? [`${idle.join(', ')} does not run`] : []),
        ];
  return [
    ['Odoo now', [...state, ...(answer === undefined ? [] : [answer])].join('; ') || 'unknown'],
    ['Downtime', 'expected: Odoo’s own stop and start, and about a second for the renames'],
  ];
}

/** A database and its filestore, named after the same run: `shop__old_20261121034100`, and the folder beside Odoo's. */
export function pairName({ database, folder }: Replaced): string {
  if (folder === undefined) return `the database ${database}`;
  if (database === undefined) return `the filestore ${basename(folder)}`;
  return basename(folder) === database
    ? `database and filestore ${database}`
    : `the database ${database} and the filestore ${basename(folder)}`;
}

/** `shop of 2026-11-21 03:22:59 UTC` */
export const whichBackup = ({ createdAt, database = 'a backup' }: RestoreSource): string =>
  createdAt ? `${database} of ${formatInstant(createdAt)}` : database;
