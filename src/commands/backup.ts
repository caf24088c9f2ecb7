import { isBare } from '../backup/bare.ts';
import { openSession } from '../backup/session.ts';
import type { Tolerate } from '../backup/source.ts';
import { takeStock } from '../backup/stock.ts';
import { certify, storeObject } from '../backup/storing.ts';
import { messageOf, UserError } from '../errors.ts';
import { Accounts } from '../host/accounts.ts';
import type { Host } from '../host/host.ts';
import { findOdoo, type Odoo } from '../host/odoo.ts';
import { connect } from '../host/ssh.ts';
import type { BackupInputs } from '../inputs/backup.ts';
import { holderOf, type Platform } from '../platform/platform.ts';
import { backupOutputs, backupSummary } from '../report/backup-summary.ts';
import { Phases } from '../report/phases.ts';
import { leftoversOf, refuseHalfSwapped, sweepExpired } from '../restore/sweep.ts';
import { type ArchiveExtension, archiveKey, catalogFolder } from '../storage/catalog.ts';
import { failedProof } from '../storage/proofs.ts';
import type { Receipt } from '../storage/receipt.ts';
import { Store } from '../storage/store.ts';
import { sweepUnfinished } from '../storage/sweep.ts';
import { assertProvable, type ProofContext } from '../verify/prove.ts';
import { raise } from '../verify/raise.ts';
import { pruneCatalog, prunedWords, versionNotes } from './prune.ts';

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
  using store = new Store(inputs.s3, signal);
  const made = await makeBackup(inputs, store, phases, platform, signal);
  if (!made) return;
  const context = { inputs: inputs.proof, platform, phases, signal };
  const receipt = await proveBackup(store, made, context);
  for (const [name, value] of Object.entries(backupOutputs(receipt))) platform.output(name, value);
  const pruned = await pruneOthers(inputs, store, receipt, platform, signal);
  await platform.summary(backupSummary(receipt, pruned));
}

/** @returns undefined after a dry run */
async function makeBackup(
  inputs: BackupInputs,
  store: Store,
  phases: Phases,
  platform: Platform,
  signal: AbortSignal,
): Promise<Receipt | undefined> {
  const { customer, prefix } = inputs.s3;
  const folder = catalogFolder(prefix, customer);
  await phases.run('s3', `Check the bucket: ${store.uri(folder)}`, () =>
    prepareStore(store, folder, platform),
  );

  await using host = await phases.run('connect', `Connect to ${inputs.ssh.user}@${inputs.ssh.host}`, () =>
    openHost(inputs, platform, signal),
  );
  signal.addEventListener('abort', () => void host[Symbol.asyncDispose]()); // what waits for the host then fails
  const odoo = await phases.run('host', 'Odoo on the host', () => lookAtHost(host, inputs, platform));
  const { serverVersion, client: pgDump } = odoo.postgres;
  const postgres = { server: serverVersion, client: String(pgDump.major) };
  await assertProvable(inputs.proof, { format: inputs.format, postgres });

  const startedAt = new Date();
  const tolerate = judge(inputs.missingFiles, platform);
  await using session = await openSession(odoo, holderOf('backup', platform.run), platform);
  const { snapshot } = session;
  const [source, leftovers] = await phases.run('snapshot', 'Snapshot of the database', () =>
    Promise.all([
      takeStock(odoo, snapshot, inputs.odoo.filestore !== false, tolerate, platform),
      leftoversOf(odoo, new Accounts(host, inputs.sudo)),
    ]),
  );
  refuseHalfSwapped(leftovers, odoo.database, platform);
  const extension = extensionOf(inputs);
  const key = archiveKey(folder, { database: odoo.database, at: startedAt }, extension);
  if (inputs.dryRun) {
    platform.notice(`Dry run: all that a backup to ${store.uri(key)} needs is there. None was made.`);
    return undefined;
  }
  const baseName = key.slice(folder.length, -extension.length);
  const target = { ...inputs, startedAt, baseName, phases, tolerate };
  const destination = { store, key, customer, platform, signal };
  const stored = await storeObject(source, target, destination);
  const receipt = await certify(source, target, stored, destination);
  await sweepExpired(leftovers, phases, platform);
  return receipt;
}

/** @throws UserError when it fails, or that could not be found out: a deploy was to wait for it */
async function proveBackup(store: Store, made: Receipt, context: ProofContext): Promise<Receipt> {
  const { level } = context.inputs;
  if (level === 'upload') return made;
  const { platform } = context;
  const uri = store.uri(made.key);
  let receipt: Receipt;
  try {
    receipt = await raise(level, { store, key: made.key, receipt: made }, context);
  } catch (error) {
    platform.warning(`${uri} is made, and verified to the level upload: ${level} could not be found out`);
    throw error;
  }
  const failure = failedProof(receipt)?.failure;
  if (failure === undefined) return receipt;
  throw new UserError(
    `The backup ${uri} has failed its verification: ${failure}`,
    'Its receipt says so: nothing takes it for a backup. Make another one, and find out what has changed it.',
  );
}

/** The backup is made: whatever goes wrong with older ones is no reason to stop a deploy. */
async function pruneOthers(
  { retention }: BackupInputs,
  store: Store,
  { customer, database, key }: Receipt,
  platform: Platform,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (!retention) return undefined;
  try {
    const wish = { customer, database, retention, dryRun: false, justMade: key };
    const plan = await pruneCatalog(store, wish, platform, signal);
    for (const note of versionNotes(plan, retention, false)) platform.info(note);
    return prunedWords(plan);
  } catch (error) {
    platform.warning(`The backup is made, but older ones were not pruned: ${messageOf(error)}`);
    return 'failed: see the log';
  }
}

async function prepareStore(store: Store, folder: string, platform: Platform): Promise<void> {
  await store.check(folder);
  try {
    for (const { key, initiated } of (await sweepUnfinished(store, folder, DAY_MS)) ?? []) {
      platform.info(`Removed an unfinished upload of ${initiated.toISOString()}: ${key}`);
    }
  } catch (error) {
    // Tidying up after others is no reason to go without a backup.
    platform.warning(`Unfinished uploads of earlier runs may be left: ${messageOf(error)}`);
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
  platform.info(
    `PostgreSQL ${postgres.serverVersion}, ${postgres.identity}; pg_dump ${postgres.client.major}`,
  );
  if (filestore) {
    platform.info(`Filestore: ${filestore.folder}${filestore.as ? `, read as ${filestore.as}` : ''}`);
  }
  return odoo;
}

/** `missing-files` decides whether a backup that lacks files is made. */
function judge(policy: BackupInputs['missingFiles'], platform: Platform): Tolerate {
  return (problem, names) => {
    const message = `${problem}, such as ${names.slice(0, 3).join(', ')}`;
    if (policy === 'fail') {
      throw new UserError(
        message,
        'No backup was made, because missing-files is fail. With warn, one is made that lists them in backup.json.',
      );
    }
    platform.warning(message);
  };
}

function extensionOf({ format, odoo }: BackupInputs): ArchiveExtension {
  if (!isBare(format, odoo.filestore !== false)) return '.zip';
  return format === 'plain' ? '.sql.gz' : '.dump';
}
