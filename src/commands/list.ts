import { type Entry, takeInventory } from '../catalog/entries.ts';
import { catalogFolder } from '../catalog/keys.ts';
import { decideWithPins, planPrune } from '../catalog/prune.ts';
import type { Verdict } from '../catalog/retention.ts';
import { shrinkNotes, shrunken } from '../catalog/shrink.ts';
import { databasesOverview, listSummary, ROWS } from '../catalog/summary.ts';
import { entriesJson, LISTED } from '../catalog/words.ts';
import type { ListInputs } from '../inputs/list.ts';
import type { Run } from '../platform/run.ts';
import { Store } from '../s3/store.ts';
import { messageOf, UserError } from '../util/errors.ts';
import { formatCounted } from '../util/format.ts';

/**
 * Shows the backups of one database, or of each that the customer has, and what retention would do to them. Changes
 * nothing.
 *
 * @throws UserError, or the signal's reason when that is aborted
 */
export async function list(inputs: ListInputs, { platform, signal }: Run): Promise<void> {
  const { customer, prefix } = inputs.s3;
  using store = new Store(inputs.s3, signal, platform);
  const folder = store.uri(catalogFolder(prefix, customer));
  const entries = await platform.group(`Backups in ${folder}`, async () => {
    const found = await takeInventory(store, customer, inputs.database, inputs.signers);
    platform.info(formatCounted(found.length, 'entry', 'entries'));
    return found;
  });
  if (entries.length === 0) {
    const of = inputs.database === undefined ? '' : ` of ${inputs.database}`;
    platform.warning(`There are no backups${of} in ${folder}: check s3-prefix, customer and database`);
  }
  const now = new Date();
  const json: object[] = [];
  const databases = Map.groupBy(entries, ({ database }) => database);
  const share = (limit: number) => Math.max(1, Math.floor(limit / databases.size));
  const sorted = [...databases].sort(([a], [b]) => (a < b ? -1 : 1));
  if (sorted.length > 1) await platform.summary(databasesOverview(new Map(sorted), now));
  for (const [database, own] of sorted) {
    const { verdicts, notes } = await whatIf(store, own, inputs);
    const shrunk = shrunken(own, inputs.retention.maxShrink);
    json.push(...entriesJson(verdicts, now, share(LISTED), shrunk));
    await platform.summary(listSummary(database, verdicts, now, { notes, most: share(ROWS) }));
  }
  platform.output('json', JSON.stringify(json));
}

/** Decides as a prune would. With permission to read only, locks cannot be seen, and the log says so. */
async function whatIf(
  store: Store,
  entries: readonly Entry[],
  { retention }: ListInputs,
): Promise<{ verdicts: readonly Verdict<Entry>[]; notes: string[] }> {
  const notes = shrinkNotes(entries, retention.maxShrink);
  try {
    const { verdicts } = await planPrune(store, entries, retention);
    return { verdicts, notes };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const note = `Locked objects would stay anyway; whether any are locked could not be determined: ${messageOf(error)}`;
    return { verdicts: decideWithPins(entries, retention.policy), notes: [...notes, note] };
  }
}
