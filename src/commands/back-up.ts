import { databasesOutputs, databasesSummary } from '../backup/databases-summary.ts';
import type { HostLook } from '../backup/look.ts';
import { makeBackup, proveBackup } from '../backup/make.ts';
import { backupOutputs, backupSummary } from '../backup/summary.ts';
import { appendProof, type SignedStore } from '../catalog/append-proof.ts';
import { catalogFolder } from '../catalog/keys.ts';
import type { Receipt } from '../catalog/receipt.ts';
import { openSigning } from '../catalog/signing-key.ts';
import { openHost } from '../host/ssh/open-host.ts';
import type { BackupInputs } from '../inputs/backup.ts';
import { listDatabases } from '../odoo/installation.ts';
import { openSite } from '../odoo/open-site.ts';
import type { Platform } from '../platform/platform.ts';
import type { Run } from '../platform/run.ts';
import { Store } from '../s3/store.ts';
import { sweepUnfinished } from '../s3/unfinished-uploads.ts';
import type { Ahead } from '../util/begun.ts';
import { messageOf, UserError } from '../util/errors.ts';
import { formatCounted } from '../util/format.ts';
import { tool } from '../util/version.ts';
import { type Alongside, backUpDatabases, onItsOwn } from './backup-databases.ts';
import { lookingAtHost } from './logging-in.ts';
import { pruneCatalog, prunedWords, versionNotes } from './prune.ts';

const DAY_MS = 24 * 3_600_000;

/**
 * Does what `backup` says.
 *
 * @param looking a look at the host, where there is one database
 */
export async function backUp(
  inputs: BackupInputs,
  run: Run,
  looking: Ahead<HostLook> | undefined,
): Promise<void> {
  const { databases, s3 } = inputs;
  const { platform, phases, signal } = run;
  using store = new Store(s3, signal, platform);
  const folder = catalogFolder(s3.prefix, s3.customer);
  if (databases.kind === 'one') phases.expect(inputs.proof.level === 'upload' ? 7 : 8);
  await using sweeping = new AsyncDisposableStack();
  const sweep = () => void sweeping.use(sweepingUploads(store, folder, platform));
  const checkBucket = () =>
    phases.run('s3', `Check the bucket: ${store.uri(folder)}`, async () => {
      await store.check(folder);
      if (inputs.encryptTo) platform.info(`Seals for ${inputs.encryptTo.join(', ')}`);
      return openSigning(inputs.signing, platform);
    });
  if (databases.kind === 'one') {
    const signing = await checkBucket();
    // Once the host is known, the dump is under way: there is time for it.
    const done = await backUpOne(inputs, { store, signing }, run, { ...onItsOwn, looking, onHost: sweep });
    if (!done) return;
    for (const [name, value] of Object.entries(backupOutputs(done.receipt))) platform.output(name, value);
    await platform.summary(backupSummary(done.receipt, done.pruned, phases.spans));
    return;
  }
  const signing = await checkBucket();
  sweep();
  const names =
    databases.kind === 'several' ? databases.databases : await findDatabases(inputs, databases.pattern, run);
  const found = databases.kind === 'matching';
  const results = await backUpDatabases(names, found, run, (database, inTurn, alongside) =>
    backUpOne({ ...inputs, odoo: { ...inputs.odoo, database } }, { store, signing }, inTurn, alongside),
  );
  if (results.length === 0) {
    throw new UserError(
      `database: Odoo was never initialised in any of ${names.join(', ')}`,
      'Nothing was backed up. Name the databases: database: shop, blog.',
    );
  }
  for (const [name, value] of Object.entries(databasesOutputs(results))) platform.output(name, value);
  await platform.summary(databasesSummary(results, inputs.dryRun));
  const failed = results.filter(({ error }) => error !== undefined);
  if (failed.length === 0) return;
  throw new UserError(
    [
      `${failed.length} of ${formatCounted(results.length, 'database')} could not be backed up:`,
      ...failed.map(({ database, error }) => `${database}: ${messageOf(error)}`),
    ].join('\n  '),
    'The others are backed up. What to do about each stands above, where it failed.',
  );
}

interface BackedUp {
  readonly receipt: Receipt;
  /** What became of older backups; undefined: they were left alone. */
  readonly pruned: string | undefined;
}

/** @returns undefined after a dry run */
async function backUpOne(
  inputs: BackupInputs,
  bucket: SignedStore,
  run: Run,
  {
    looking = lookingAtHost(inputs, run),
    ...alongside
  }: Alongside & { readonly looking?: Ahead<HostLook> | undefined },
): Promise<BackedUp | undefined> {
  const made = await makeBackup(inputs, bucket, run, { ...alongside, looking });
  if (!made) return undefined;
  const proven = await alongside.alone(() => proveBackup(made, inputs.proof, bucket, run));
  const receipt = await pinIfWanted(inputs, proven, bucket, run);
  return { receipt, pruned: await pruneOthers(inputs, bucket.store, receipt, run) };
}

async function pinIfWanted(
  { pin }: BackupInputs,
  receipt: Receipt,
  { store, signing }: SignedStore,
  { platform }: Run,
): Promise<Receipt> {
  if (pin === undefined) return receipt;
  platform.info(`Pinned: ${pin}`);
  const remark = { kind: 'pin', reason: pin } as const;
  return appendProof(
    store,
    receipt.key,
    { level: 'upload', at: new Date().toISOString(), tool, remark },
    signing,
  );
}

/** @throws UserError when none of the host's databases is meant */
async function findDatabases(
  inputs: BackupInputs,
  pattern: RegExp,
  { platform, signal }: Run,
): Promise<string[]> {
  return platform.group(`Find the databases on ${inputs.ssh.host}`, async () => {
    await using host = await openHost(inputs.ssh, platform, signal);
    const site = await openSite(host, inputs);
    const all = await listDatabases(site, inputs.odoo, (password) => platform.secret(password));
    const chosen = all.filter((name) => pattern.test(name));
    platform.info(`${formatCounted(all.length, 'database')} of Odoo: ${all.join(', ') || 'none'}`);
    if (chosen.length > 0) return chosen;
    throw new UserError(
      `database: no database of Odoo on ${host.label} matches: ${all.join(', ') || 'there are none'}`,
      'Databases of Odoo are those that belong to its role. Name others: database: shop, blog.',
    );
  });
}

/** The backup is made: whatever goes wrong with older ones is no reason to stop a deploy. */
async function pruneOthers(
  { retention, signing: { signers } }: BackupInputs,
  store: Store,
  { customer, database, key }: Receipt,
  run: Run,
): Promise<string | undefined> {
  const { platform } = run;
  if (!retention) return undefined;
  try {
    const wish = { customer, database, retention, signers, dryRun: false, justMade: key };
    const plan = await pruneCatalog(store, wish, run);
    for (const note of versionNotes(plan, retention, false)) platform.info(note);
    return prunedWords(plan);
  } catch (error) {
    platform.warning(`The backup is made, but older ones were not pruned: ${messageOf(error)}`);
    return 'failed: see the log';
  }
}

/**
 * Begins to remove uploads that earlier runs have left unfinished. No backup waits for that; at the end it is told what
 * was removed. If it fails, the backup is made nevertheless.
 */
function sweepingUploads(store: Store, folder: string, platform: Platform): AsyncDisposable {
  const sweeping = sweepUnfinished(store, folder, DAY_MS);
  sweeping.catch(() => {}); // awaited at the end
  return {
    async [Symbol.asyncDispose]() {
      try {
        for (const { key, initiated } of (await sweeping) ?? []) {
          platform.info(`Removed an unfinished upload of ${initiated.toISOString()}: ${key}`);
        }
      } catch (error) {
        platform.warning(`Unfinished uploads of earlier runs may be left: ${messageOf(error)}`);
      }
    },
  };
}
