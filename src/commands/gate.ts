import { askGate, type GateVerdict } from '../catalog/gate.ts';
import { gateOutputs, openSummary, shutSummary, shutWords } from '../catalog/gate-summary.ts';
import { catalogFolder, listBackups } from '../catalog/keys.ts';
import { whichIsMeant } from '../catalog/named-backup.ts';
import type { GateInputs } from '../inputs/gate.ts';
import type { Run } from '../platform/run.ts';
import { Store } from '../s3/store.ts';
import { GateError } from '../util/errors.ts';

const NONE =
  'Make a backup, or find out why none was made; then run this again. The command list shows what there is.';
const HINTS: Partial<Record<GateVerdict['kind'], string>> = {
  shrunk:
    'Look whether the database is as it should be. If it is, say so once: the command mark with accept-shrink and the reason.',
  slow: 'Run verify: restore to measure it again. More cores, a faster disk or a higher max-restore make it fit.',
};

/**
 * Lets pass when there is a backup that is proven well enough and young enough. Reads from S3 and nothing else.
 *
 * @throws GateError when there is none; UserError, or the signal's reason when that is aborted
 */
export async function gate(inputs: GateInputs, { platform, signal }: Run): Promise<void> {
  const { customer, prefix } = inputs.s3;
  using store = new Store(inputs.s3, signal, platform);
  const folder = store.uri(catalogFolder(prefix, customer));
  const now = new Date();
  const title = `Look for a backup of ${inputs.database} in ${folder}`;
  const verdict = await platform.group(title, async () => {
    const all = await listBackups(store, customer, inputs.database);
    const backups = inputs.backup === 'latest' ? all : all.filter(whichIsMeant(store, inputs.backup));
    return askGate(store, { backups, all, signers: inputs.signers }, inputs, now);
  });
  if (verdict.kind !== 'open') {
    const why = shutWords(verdict, inputs, folder, now);
    await platform.summary(shutSummary(inputs, folder, why));
    throw new GateError(why, HINTS[verdict.kind] ?? NONE);
  }
  const { entry } = verdict;
  for (const [name, value] of Object.entries(gateOutputs(store, entry))) platform.output(name, value);
  await platform.summary(openSummary(store, entry, now));
}
