import { openSelected } from '../backup-reader/open.ts';
import { selectBackup } from '../backup-reader/select.ts';
import { catalogFolder } from '../catalog/keys.ts';
import { fetchPart } from '../fetch/part.ts';
import { requestWords } from '../fetch/request.ts';
import { fetchSummary } from '../fetch/summary.ts';
import { fetchWhole } from '../fetch/whole.ts';
import { assertTarget } from '../fetch/write.ts';
import type { FetchInputs } from '../inputs/fetch.ts';
import type { Run } from '../platform/run.ts';
import { Store } from '../s3/store.ts';
import { UserError } from '../util/errors.ts';
import { formatBytes, formatCounted } from '../util/format.ts';

/**
 * Writes a backup, or one thing that is in it, into a file of this machine. Changes nothing else.
 *
 * @param stdout takes it where the output is `-`
 * @throws UserError, or the signal's reason when that is aborted
 */
export async function fetch(
  inputs: FetchInputs,
  run: Run,
  stdout: NodeJS.WritableStream & { readonly isTTY?: boolean },
): Promise<void> {
  const { platform, signal } = run;
  const { request, target, s3, database, backup, allowUnverified, signers } = inputs;
  const { customer, prefix } = s3;
  if (target.kind === 'standard output' && stdout.isTTY) throw onTerminal();
  await assertTarget(request, target);
  using store = new Store(s3, signal);
  const folder = store.uri(catalogFolder(prefix, customer));
  const selected = await platform.group(`Find the backup: ${backup} in ${folder}`, async () => {
    const found = await selectBackup(store, { customer, backup, database, allowUnverified, signers });
    platform.info(`${store.uri(found.key)}${found.receipt ? `, ${formatBytes(found.receipt.size)}` : ''}`);
    if (!found.receipt) platform.warning('No receipt that counts says that it was verified');
    const [newest] = found.passedOver ?? [];
    if (newest !== undefined) {
      const count = formatCounted(found.passedOver?.length ?? 0, 'newer one');
      platform.warning(`It is not the newest backup: ${count} cannot be trusted, such as ${newest}`);
    }
    return found;
  });
  const { key, receipt } = selected;
  const place = { target, stdout };
  const files =
    request.kind === 'archive'
      ? [await fetchWhole({ store, selected, identities: inputs.identities }, place, run)]
      : await fetchPart(await openSelected(store, selected, inputs.identities), request, place, run);
  if (target.kind === 'path') {
    // To standard output, they would stand between what was fetched.
    platform.output('key', key);
    platform.output('uri', store.uri(key));
    if (receipt) platform.output('database', receipt.database);
    platform.output('json', JSON.stringify({ key, fetched: requestWords(request), files }));
  }
  await platform.summary(fetchSummary(store.uri(key), receipt, request, files));
}

const onTerminal = (): UserError =>
  new UserError(
    'output: - is a terminal here, and what a backup holds could steer it',
    'Send it to a file or another program: > FILE, or | less.',
  );
