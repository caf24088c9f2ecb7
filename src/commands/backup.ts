import { ArchiveWriter } from '../archive/writer.ts';
import { counted, writeArchive } from '../backup/archive.ts';
import { bareDump, isBare } from '../backup/bare.ts';
import { metadataOf, receiptOf, type Stored } from '../backup/receipt.ts';
import { deflateLevel, expectedBytes, type Source, type Target } from '../backup/source.ts';
import { messageOf, UserError } from '../errors.ts';
import { Accounts } from '../host/accounts.ts';
import { listFilestore } from '../host/filestore.ts';
import type { Host } from '../host/host.ts';
import { findOdoo, type Odoo } from '../host/odoo.ts';
import { describeDatabase } from '../host/odoo-database.ts';
import { Snapshot } from '../host/snapshot.ts';
import { connect } from '../host/ssh.ts';
import type { BackupInputs } from '../inputs.ts';
import type { Platform } from '../platform/platform.ts';
import { backupOutputs, backupSummary } from '../report/backup-summary.ts';
import { formatBytes, formatCounted } from '../report/format.ts';
import { Phases } from '../report/phases.ts';
import { type ArchiveExtension, archiveKey, catalogFolder, receiptKey, writeReceipt } from '../storage/catalog.ts';
import type { Receipt } from '../storage/receipt.ts';
import { Store } from '../storage/store.ts';
import { sweepUnfinished } from '../storage/sweep.ts';
import { upload } from '../storage/upload.ts';
import { verifyUpload } from '../storage/verify-upload.ts';
import { tool } from '../version.ts';

const CONNECT_TIMEOUT_MS = 20_000;
const DAY_MS = 24 * 3_600_000;

/**
 * Backs up one Odoo database and its filestore into one object in S3, verifies it, and only then writes its
 * receipt and the outputs. Whatever fails leaves no receipt, no unfinished upload, and nothing on the host.
 *
 * @throws UserError, or the signal's reason when that is aborted
 */
export async function backup(inputs: BackupInputs, platform: Platform, signal: AbortSignal): Promise<void> {
  const phases = new Phases(platform);
  using store = new Store(inputs.s3);
  const folder = catalogFolder(inputs.s3.prefix, inputs.s3.customer);
  await phases.run('s3', `S3: ${store.uri(folder)}`, () => prepareStore(store, folder, platform));

  await using host = await phases.run('connect', `Connect to ${inputs.ssh.host}`, () =>
    openHost(inputs, platform, signal),
  );
  signal.addEventListener('abort', () => void host[Symbol.asyncDispose]()); // whatever waits for the host then fails
  const odoo = await phases.run('host', 'Odoo on the host', () => lookAtHost(host, inputs, platform));

  const startedAt = new Date();
  await using snapshot = await Snapshot.open(odoo.postgres, odoo.database);
  const source = await phases.run('snapshot', 'One instant of the database', () =>
    takeStock(odoo, snapshot, inputs, platform),
  );
  const extension = extensionOf(inputs, source);
  const key = archiveKey(folder, { database: odoo.database, at: startedAt }, extension);
  if (inputs.dryRun) {
    platform.notice(`Dry run: everything that ${store.uri(key)} needs is there. Nothing was written.`);
    return;
  }
  const baseName = key.slice(folder.length, -extension.length);
  const tolerate = (problem: string, names: readonly string[]) => judge(problem, names, inputs, platform);
  const target: Target = { ...inputs, startedAt, baseName, phases, tolerate };

  const stored = await storeObject(store, key, source, target, platform, signal);
  const receipt = await certify(store, stored, source, target, inputs, platform, signal);
  for (const [name, value] of Object.entries(backupOutputs(receipt))) platform.output(name, value);
  await platform.summary(backupSummary(receipt));
}

async function prepareStore(store: Store, folder: string, platform: Platform): Promise<void> {
  await store.check(folder);
  const swept = await sweepUnfinished(store, folder, DAY_MS);
  if (swept === undefined) {
    platform.info('Unfinished uploads of earlier runs were not looked for: s3:ListBucketMultipartUploads is denied.');
  }
  for (const { key, initiated } of swept ?? []) {
    platform.info(`Removed an unfinished upload of ${initiated.toISOString()}: ${key}`);
  }
}

function openHost(inputs: BackupInputs, platform: Platform, signal: AbortSignal): Promise<Host> {
  const onRetry = (message: string) => platform.info(message);
  return connect({ ...inputs.ssh, connectTimeoutMs: CONNECT_TIMEOUT_MS, onRetry }, signal);
}

async function lookAtHost(host: Host, inputs: BackupInputs, platform: Platform): Promise<Odoo> {
  const accounts = new Accounts(host, inputs.sudo);
  const odoo = await findOdoo(host, accounts, inputs.odoo, (password) => platform.secret(password));
  const { conf, postgres, filestore } = odoo;
  if (conf) platform.info(`odoo.conf: ${conf.path}`);
  platform.info(`PostgreSQL ${postgres.serverVersion}, ${postgres.identity}; pg_dump ${postgres.client.major}`);
  if (filestore) platform.info(`Filestore: ${filestore.folder}${filestore.as ? `, read as ${filestore.as}` : ''}`);
  return odoo;
}

/** Reads the facts, and lists the filestore right after them: files only come and go, none is ever rewritten. */
async function takeStock(odoo: Odoo, snapshot: Snapshot, inputs: BackupInputs, platform: Platform): Promise<Source> {
  const facts = await describeDatabase(snapshot);
  const { files: wanted, inDatabase, location } = facts.attachments;
  const modules = formatCounted(Object.keys(facts.modules).length, 'module');
  platform.info(`${odoo.database}: Odoo ${facts.odooVersion}, ${modules}, tables of ${formatBytes(facts.tableBytes)}`);
  if (location !== 'file') {
    platform.notice(
      `ir_attachment.location is ${location}: attachments kept there are ${location === 'db' ? 'in the dump' : 'not in this backup'}.`,
    );
  }
  if (!inputs.odoo.filestore) {
    if (wanted.length > 0) platform.notice(`filestore is false: ${formatCounted(wanted.length, 'file')} of attachments stay out.`);
    return { odoo, snapshot, facts, files: undefined, missing: [] };
  }
  const files = odoo.filestore ? await listFilestore(odoo.filestore) : [];
  const there = new Set(files.map((file) => file.name));
  const missing = wanted.filter((name) => !there.has(name));
  const stored = `${formatCounted(wanted.length, 'file')} of attachments, ${formatCounted(inDatabase, 'attachment')} in the database`;
  platform.info(`Filestore: ${formatCounted(files.length, 'file')} on disk, ${stored}`);
  if (!odoo.filestore && missing.length === 0) {
    platform.notice('There is no filestore on the host, and no attachment that needs one.');
  }
  if (missing.length > 0) {
    const what = odoo.filestore ? 'are not on disk' : 'are not on disk: there is no filestore at all';
    judge(`${formatCounted(missing.length, 'file')} of attachments ${what}`, missing, inputs, platform);
  }
  return { odoo, snapshot, facts, files, missing };
}

/** `missing-files` decides whether a backup with this flaw is made. @throws UserError when it is not */
function judge(problem: string, names: readonly string[], inputs: BackupInputs, platform: Platform): void {
  const message = `${problem}, such as ${names.slice(0, 3).join(', ')}`;
  if (inputs.missingFiles === 'warn') return platform.warning(message);
  throw new UserError(
    message,
    'No backup was made, because missing-files is fail. Set it to warn to make one that lists them in backup.json.',
  );
}

function extensionOf(inputs: BackupInputs, { files }: Source): ArchiveExtension {
  if (!isBare(inputs.format, files !== undefined)) return '.zip';
  return inputs.format === 'plain' ? '.sql.gz' : '.dump';
}

/** Streams the object from the host into S3. The first failure is told; nothing is left of it on either side. */
async function storeObject(
  store: Store,
  key: string,
  source: Source,
  target: Target,
  platform: Platform,
  signal: AbortSignal,
): Promise<Stored> {
  const options = {
    expectedBytes: expectedBytes(source, target.format),
    contentType: 'application/octet-stream',
    metadata: metadataOf(source, target, platform.run),
    signal,
    onLeftBehind: (error: UserError) => platform.warning(`${error.message} ${error.hint}`),
  };
  if (isBare(target.format, source.files !== undefined)) {
    const body = await bareDump(source, target);
    const uploaded = await target.phases.transfer('dump', `Dump: ${key}`, source.facts.tableBytes, (progress) =>
      upload(store, key, counted(body, progress), options),
    );
    return { uploaded, archive: undefined };
  }
  await using writer = new ArchiveWriter({ level: Math.max(1, deflateLevel(target)) });
  const uploading = upload(store, key, writer.output, { ...options, contentType: 'application/zip' });
  const writing = writeArchive(writer, source, target);
  // Whichever fails takes the other with it, and the upload always tells the first reason.
  writing.catch((error) => writer.output.destroy(error));
  const [uploaded, archive] = await Promise.allSettled([uploading, writing]);
  if (uploaded.status === 'rejected') throw uploaded.reason;
  if (archive.status === 'rejected') throw archive.reason;
  return { uploaded: uploaded.value, archive: archive.value };
}

/** Verifies the object and writes its receipt, after which it is a backup; before that, it is removed if anything fails. */
async function certify(
  store: Store,
  stored: Stored,
  source: Source,
  target: Target,
  inputs: BackupInputs,
  platform: Platform,
  signal: AbortSignal,
): Promise<Receipt> {
  const { key } = stored.uploaded;
  try {
    const proof = await target.phases.run('verify', `Verify ${store.uri(key)}`, () =>
      verifyUpload(store, stored.uploaded, stored.archive?.summary.directory ?? null, tool),
    );
    signal.throwIfAborted();
    const receipt = receiptOf(source, target, stored, [proof], inputs.s3, platform.run);
    await writeReceipt(store, receipt);
    return receipt;
  } catch (error) {
    await removeObject(store, key, platform);
    throw error;
  }
}

/** The receipt first: should it have been written after all, it must not outlive what it speaks of. */
async function removeObject(store: Store, key: string, platform: Platform): Promise<void> {
  for (const each of [receiptKey(key), key]) {
    try {
      await store.delete(each);
    } catch (error) {
      platform.warning(`${store.uri(each)} was left behind, and is not a backup: ${messageOf(error)}`);
    }
  }
}
