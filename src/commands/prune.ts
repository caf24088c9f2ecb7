import { type Entry, takeInventory } from '../catalog/entries.ts';
import { catalogFolder } from '../catalog/keys.ts';
import { carryOut, type PrunePlan, planPrune } from '../catalog/prune.ts';
import type { TrustedSigners } from '../catalog/signatures.ts';
import { pruneSummary, sizeOf } from '../catalog/summary.ts';
import { entriesJson } from '../catalog/words.ts';
import type { PruneInputs } from '../inputs/prune.ts';
import type { RetentionInputs } from '../inputs/retention.ts';
import type { Platform } from '../platform/platform.ts';
import type { Run } from '../platform/run.ts';
import { Store } from '../s3/store.ts';
import { UserError } from '../util/errors.ts';
import { formatBytes, formatCounted } from '../util/format.ts';

/**
 * Deletes the backups of one database that no rule keeps, the receipt before its archive.
 *
 * @throws UserError, or the signal's reason when that is aborted
 */
export async function prune(inputs: PruneInputs, run: Run): Promise<void> {
  const { platform, signal } = run;
  const { database, dryRun } = inputs;
  const { customer } = inputs.s3;
  using store = new Store(inputs.s3, signal, platform);
  const plan = await pruneCatalog(store, { ...inputs, customer }, run);
  const now = new Date();
  platform.output('database', database);
  platform.output('json', JSON.stringify(entriesJson(plan.verdicts, now)));
  const notes = versionNotes(plan, inputs.retention, dryRun);
  await platform.summary(pruneSummary(database, plan.verdicts, { dryRun, notes }, now));
}

export interface PruneWish {
  readonly customer: string;
  readonly database: string;
  readonly retention: RetentionInputs;
  readonly dryRun: boolean;
  /** The key of the backup that this run has made. */
  readonly justMade?: string;
  readonly signers: TrustedSigners;
}

/** Decides and, except in a dry run, deletes. Returns what was decided. */
export async function pruneCatalog(
  store: Store,
  { customer, database, retention, dryRun, justMade, signers }: PruneWish,
  { platform, signal }: Run,
): Promise<PrunePlan> {
  const folder = store.uri(catalogFolder(store.options.prefix, customer));
  return platform.group(`Backups of ${database} in ${folder} that no rule keeps`, async () => {
    const entries = await takeInventory(store, customer, database, signers);
    const plan = await planPrune(store, entries, { ...retention, justMade });
    const kept = plan.verdicts.filter(({ keep }) => keep).length;
    platform.info(`${kept} of ${formatCounted(entries.length, 'entry', 'entries')} stay`);
    for (const verdict of plan.verdicts) {
      if (dryRun && !verdict.keep) platform.info(`Would delete ${verdict.entry.key}: ${verdict.reason}`);
    }
    tellDoubts(plan, platform);
    if (dryRun) {
      if (plan.refusal) platform.warning(`Without dry-run this fails: ${plan.refusal.why}`);
      return plan;
    }
    if (plan.refusal) throw new UserError(`Nothing was deleted: ${plan.refusal.why}`, plan.refusal.hint);
    const onDeleted = ({ key }: Entry) => platform.info(`Deleted ${key}`);
    await carryOut(store, plan, { ...retention, signal, onDeleted });
    return plan;
  });
}

/** A verified backup that takes no slot may be a surprise. It is never deleted. */
function tellDoubts({ verdicts }: PrunePlan, platform: Platform): void {
  const doubted = verdicts.flatMap(({ entry }) => (entry.doubt === undefined ? [] : [entry]));
  const [first] = doubted;
  if (!first) return;
  platform.warning(
    `${formatCounted(doubted.length, 'backup')} are not counted by any rule, and stay until you delete them, such as ${first.key}: ${first.doubt}`,
  );
}

/** What was pruned, in one line, for the summary of a backup. */
export function prunedWords({ verdicts }: PrunePlan): string {
  const deleted = verdicts.filter(({ keep }) => !keep).map(({ entry }) => entry);
  const kept = formatCounted(verdicts.length - deleted.length, 'backup');
  if (deleted.length === 0) return `${kept} kept, none to delete`;
  return `${kept} kept, ${deleted.length} deleted (${formatBytes(sizeOf(deleted))})`;
}

export function versionNotes(
  plan: PrunePlan,
  { deleteVersions }: RetentionInputs,
  dryRun: boolean,
): string[] {
  const deletes = plan.verdicts.some(({ keep }) => !keep);
  if (!plan.versions || deleteVersions || !deletes) return [];
  return [
    `The bucket keeps versions: what ${dryRun ? 'would be' : 'was'} deleted is hidden, and costs money, until a lifecycle rule removes noncurrent versions. With delete-versions: true they are removed at once.`,
  ];
}
