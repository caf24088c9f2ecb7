import { writeCatalogPage } from '../catalog/page.ts';
import type { Inputs } from '../inputs/parse.ts';
import { refreshing } from '../inputs/uses.ts';
import type { Run } from '../platform/run.ts';
import { Store } from '../s3/store.ts';
import { messageOf } from '../util/errors.ts';

/** Commands after which the bucket may hold something else than before, or that have looked at all of it. */
type Refreshing = Extract<Inputs, { command: 'backup' | 'verify' | 'mark' | 'prune' | 'list' }>;

const isRefreshing = (inputs: Inputs): inputs is Refreshing & Inputs => refreshing.includes(inputs.command);

/** Refreshes the page beside the archives, where that is asked for. What a run is for does not depend on it. */
export async function refreshCatalogPage(inputs: Inputs, { platform, signal }: Run): Promise<void> {
  if (!inputs.catalogPage || !isRefreshing(inputs) || signal.aborted) return;
  if ('dryRun' in inputs && inputs.dryRun) return;
  const signers = 'signing' in inputs ? inputs.signing.signers : inputs.signers;
  try {
    using store = new Store(inputs.s3, signal);
    const key = await writeCatalogPage(store, inputs.s3.customer, signers, new Date());
    platform.info(`Page of all databases: ${store.uri(key)}`);
  } catch (error) {
    platform.warning(`The page of all databases was not written: ${messageOf(error)}`);
  }
}
