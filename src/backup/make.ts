import type { SignedStore } from '../catalog/append-proof.ts';
import { type ArchiveExtension, archiveKey, catalogFolder } from '../catalog/keys.ts';
import { failedProof, unrestorableProof } from '../catalog/proofs.ts';
import type { Receipt } from '../catalog/receipt.ts';
import type { Accounts } from '../host/accounts.ts';
import type { HostTools } from '../host/tools.ts';
import { findCode } from '../odoo/code/find-code.ts';
import type { Odoo, OdooServer } from '../odoo/installation.ts';
import type { Site } from '../odoo/site.ts';
import { holderOf, type Platform } from '../platform/platform.ts';
import type { Run } from '../platform/run.ts';
import type { Snapshot } from '../postgres/snapshot.ts';
import {
  type FoundLeftovers,
  leftoversOf,
  refuseHalfSwapped,
  sweepExpired,
  sweepTemporary,
} from '../restore/leftovers/sweep.ts';
import { CopyError } from '../s3/server-copy.ts';
import { type Recipients, readRecipients } from '../sealing/recipients.ts';
import { type Ahead, ahead } from '../util/begun.ts';
import { UserError } from '../util/errors.ts';
import { formatBytes, formatCounted } from '../util/format.ts';
import type { ProofOptions } from '../verify/options.ts';
import { assertProvable } from '../verify/prove.ts';
import { raise } from '../verify/raise.ts';
import { unrestorableError } from '../verify/unrestorable.ts';
import { isBare } from './bare.ts';
import { type BaseCandidate, findCandidate, type NoBase, planBase } from './base-archive.ts';
import { describe } from './description.ts';
import { beginArchiveDump } from './early-dumps.ts';
import type { HostLook } from './look.ts';
import type { BackupOptions } from './options.ts';
import { type BackupSession, openSession } from './session.ts';
import type { ArchiveOptions, Source, Tolerate } from './source.ts';
import { certify, storeObject } from './store.ts';
import { surveySource } from './survey.ts';

const NO_FILES: NoBase = { why: 'there is only the database' };

/** What a backup asks of who makes it, about its host and about others beside it. */
export interface OnHost {
  /** Is told what the host has, once that is known. */
  readonly onHost: (tools: HostTools) => void;
  /** A look at the host, which has begun; its connection ends with the backup. */
  readonly looking: Ahead<HostLook>;
  /** How many backups are under way at once, once the host is known. Default: this one. */
  readonly sharing?: () => number;
}

/**
 * Backs up one Odoo database and its filestore into one object in S3, verifies it, and only then writes its receipt.
 * Whatever fails leaves no receipt, no unfinished upload, and nothing on the host.
 *
 * @returns undefined after a dry run
 * @throws UserError, or the signal's reason when that is aborted
 */
export async function makeBackup(
  inputs: BackupOptions,
  { store, signing }: SignedStore,
  run: Run,
  { onHost, looking, sharing = () => 1 }: OnHost,
): Promise<Receipt | undefined> {
  const { platform, phases } = run;
  await using connecting = looking; // ends it, if this fails before it is taken
  const recipients = inputs.encryptTo && (await readRecipients(inputs.encryptTo));
  const search = (database: string) => searchFor({ inputs, store, signing, recipients }, database);
  const { database } = inputs.odoo;
  let searching = database === undefined ? undefined : search(database);
  await using look = await phases.run('connect', `Connect to ${inputs.ssh.user}@${inputs.ssh.host}`, () =>
    connected(connecting, inputs.dryRun),
  );
  let beginning: Ahead<BackupBegun> | undefined;
  await using unused = new AsyncDisposableStack();
  const { site, odoo } = await phases.run('host', 'Odoo on the host', () => {
    look.server.then(
      (server) => {
        searching ??= search(server.database);
        beginning = unused.use(ahead(() => begin(server, inputs, platform)));
      },
      () => {}, // told below
    );
    return tellHost(look, platform);
  });
  onHost(odoo.tools);
  const { version, client: pgDump } = odoo.postgres;
  const postgres = { server: version.text, client: String(pgDump.major) };
  await assertProvable(inputs.proof, { format: inputs.format, postgres });
  const { accounts } = site.files;
  const making: Making = { ...run, inputs, site, odoo, accounts, store, signing, recipients, sharing };
  const beginAgain = () => begin(odoo, inputs, platform);
  try {
    return await makeFrom(making, beginning?.take ?? beginAgain, searching ?? search(odoo.database));
  } catch (error) {
    if (!(error instanceof CopyError)) throw error;
    platform.notice(`${error.message}. So everything is sent.`);
    const why = 'the first attempt was given up';
    return await makeAgain(making, beginAgain, { why, cannotCopy: error.unsupported || undefined });
  }
}

/** Makes a backup in the simplest way: everything is sent, one byte after the other. */
async function makeAgain(
  making: Making,
  beginning: () => Promise<BackupBegun>,
  why: NoBase,
): Promise<Receipt | undefined> {
  try {
    return await makeFrom(making, beginning, Promise.resolve({ ...why, inTurn: true }));
  } catch (error) {
    if (!(error instanceof CopyError)) throw error;
    throw new UserError(
      `${error.message}, where everything was sent one after the other`,
      'The S3 server does not give back what it was given. Nothing is left of this backup. Look into the log of the server, or use another one.',
      { cause: error },
    );
  }
}

/** A dry run is to say where it ends: whether the account runs commands is found out before anything else. */
async function connected(looking: Ahead<HostLook>, isDryRun: boolean): Promise<HostLook> {
  const look = await looking.take();
  try {
    if (isDryRun) await look.host.proven;
    return look;
  } catch (error) {
    await look[Symbol.asyncDispose]();
    throw error;
  }
}

interface Making extends Run, SignedStore {
  readonly inputs: BackupOptions;
  readonly site: Site;
  readonly odoo: Odoo;
  /** The accounts that can be used on the host of Odoo's files. */
  readonly accounts: Accounts;
  /** Whom the backup is sealed for; undefined: nobody. */
  readonly recipients: Recipients | undefined;
  /** How many backups are under way. */
  readonly sharing: () => number;
}

/** A backup that has begun: its name, and what it holds in PostgreSQL until it ends. */
interface BackupBegun extends BackupSession {
  readonly startedAt: Date;
  readonly key: string;
  /** `{database}_{timestamp}` */
  readonly baseName: string;
}

/** Begins a backup as soon as its database is found: the lock, the snapshot, and with it the dump. */
async function begin(server: OdooServer, inputs: BackupOptions, platform: Platform): Promise<BackupBegun> {
  const { customer, prefix } = inputs.s3;
  const folder = catalogFolder(prefix, customer);
  const startedAt = new Date();
  const extension = extensionOf(inputs);
  const key = archiveKey(folder, { database: server.database, at: startedAt }, extension);
  const baseName = key.slice(folder.length, -extension.length);
  const session = await openSession(server, holderOf('backup', platform.run), platform);
  const { snapshot } = session;
  if (!inputs.dryRun && extension === '.zip') {
    beginArchiveDump(server, snapshot, { format: inputs.format, baseName });
  }
  const end = () => session[Symbol.asyncDispose]();
  return { startedAt, key, baseName, snapshot, [Symbol.asyncDispose]: end };
}

/** Makes a backup of one snapshot. @throws CopyError when it may well succeed without the base */
async function makeFrom(
  making: Making,
  beginning: () => Promise<BackupBegun>,
  searching: Promise<BaseCandidate | NoBase>,
): Promise<Receipt | undefined> {
  const { inputs, store, phases, platform, signal } = making;
  const { customer } = inputs.s3;
  const tolerate = judge(inputs.missingFiles, platform);
  await using begun = await beginning();
  const { startedAt, key, baseName, snapshot } = begun;
  const { source, leftovers, base } = await survey(making, snapshot, tolerate, searching);
  const target = { ...inputs, ...base, startedAt, baseName, tolerate, recipients: making.recipients };
  describe(source, target, null); // throws before a byte moves
  if (inputs.dryRun) {
    platform.notice(
      `Dry run: everything that a backup to ${store.uri(key)} needs is in place. None was made.`,
    );
    return undefined;
  }
  const { signer } = making.signing;
  const sharing = making.sharing();
  const destination = { platform, phases, signal, store, key, customer, signer, sharing };
  const stored = await storeObject(source, target, destination);
  const receipt = await certify(source, target, stored, destination);
  await sweepExpired(leftovers, making);
  await sweepTemporary(leftovers, platform);
  return receipt;
}

/** Finds out everything before a byte is sent, and keeps what is needed afterwards. */
async function survey(
  { inputs, site, odoo, accounts, phases, platform, signal }: Making,
  snapshot: Snapshot,
  tolerate: Tolerate,
  searching: Promise<BaseCandidate | NoBase>,
): Promise<{
  readonly source: Source;
  readonly leftovers: FoundLeftovers | undefined;
  readonly base: Pick<ArchiveOptions, 'base' | 'cannotCopy' | 'inTurn'>;
}> {
  const { countTables } = inputs;
  const code = findCode(site, odoo.conf);
  const options = { code, filestore: inputs.odoo.filestore !== false, countTables, tolerate };
  const [source, leftovers, candidate] = await phases.run('snapshot', 'Snapshot of the database', () =>
    Promise.all([surveySource(odoo, snapshot, options, platform), leftoversOf(odoo, accounts), searching]),
  );
  refuseHalfSwapped(leftovers, odoo.database, platform);
  return phases.run('base', 'What S3 has already', async () => {
    const plan =
      'why' in candidate ? candidate : source.files ? await planBase(candidate, source.files) : NO_FILES;
    signal.throwIfAborted(); // which would be told as a reason to send everything
    if ('files' in plan) {
      const { reuse, key } = plan.base;
      const files = formatCounted(reuse.entries, 'file');
      platform.info(`S3 copies ${files}, ${formatBytes(reuse.length)}, from ${key}`);
      return { source: { ...source, files: plan.files }, leftovers, base: { base: plan.base } };
    }
    const { why, first, cannotCopy, inTurn, unsealed } = plan;
    if (unsealed)
      platform.warning(
        `This backup is not encrypted, and the one before it is: ${why}. If that is not meant, encrypt-to is empty by mistake: delete this backup once there is a better one`,
      );
    platform.info(first ? 'First backup: everything is sent' : `Everything is sent: ${why}`);
    return { source, leftovers, base: { cannotCopy, inTurn } };
  });
}

/** Never fails: see `findCandidate`. */
async function searchFor(
  { inputs, store, signing, recipients }: Pick<Making, 'inputs' | 'store' | 'signing' | 'recipients'>,
  database: string,
): Promise<BaseCandidate | NoBase> {
  const { format, fullEveryMs, s3 } = inputs;
  if (!inputs.incremental) return { why: 'incremental is false' };
  if (inputs.odoo.filestore === false) return NO_FILES;
  const { signers } = signing;
  return findCandidate(store, {
    customer: s3.customer,
    database,
    format,
    fullEveryMs,
    signers,
    recipients,
  });
}

/** @throws UserError when it fails, or that could not be found out: a deploy was to wait for it */
export async function proveBackup(
  made: Receipt,
  options: ProofOptions,
  { store, signing }: SignedStore,
  run: Run,
): Promise<Receipt> {
  if (options.level === 'upload') return made;
  const uri = store.uri(made.key);
  let receipt: Receipt;
  try {
    receipt = await raise({ store, key: made.key, receipt: made, signing }, options, run);
  } catch (error) {
    run.platform.warning(
      `${uri} is made, and counts as far as its receipt says: ${options.level} could not be found out`,
    );
    throw error;
  }
  const failure = failedProof(receipt)?.failure;
  if (failure === undefined) {
    if (unrestorableProof(receipt)) throw unrestorableError(store, receipt);
    return receipt;
  }
  throw new UserError(
    `The backup ${uri} has failed its verification: ${failure}`,
    'Its receipt says so, and it no longer counts as a backup. Make another one, and find out what changed it.',
  );
}

/** Tells what was found on the host. @throws UserError for what was not */
async function tellHost(
  look: HostLook,
  platform: Platform,
): Promise<{ readonly site: Site; readonly odoo: Odoo }> {
  const site = await look.site;
  for (const note of site.notes) platform.info(note);
  const odoo = await look.odoo;
  const { conf, postgres, filestore } = odoo;
  if (conf) platform.info(`odoo.conf: ${conf.path}`);
  platform.info(
    `PostgreSQL ${postgres.version.text}, ${postgres.identity}; pg_dump ${postgres.client.major}`,
  );
  if (postgres.isForeignSuperuser) {
    platform.warning(
      `The backup reads ${odoo.database} as ${postgres.login}, a superuser. The role that owns it can do that as well, and has fewer rights: db-user`,
    );
  }
  if (filestore) platform.info(`Filestore: ${filestore.path}, read as ${filestore.account}`);
  return { site, odoo };
}

/** `missing-files` decides whether a backup that lacks files is made. */
function judge(policy: BackupOptions['missingFiles'], platform: Platform): Tolerate {
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

function extensionOf({ format, odoo, encryptTo }: BackupOptions): ArchiveExtension {
  if (!isBare(format, odoo.filestore !== false)) return '.zip';
  const extension = format === 'plain' ? '.sql.gz' : '.dump';
  return encryptTo ? `${extension}.age` : extension;
}
