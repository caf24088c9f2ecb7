import { openSelected } from '../../backup-reader/open.ts';
import { ContentError, messageOf } from '../../util/errors.ts';
import type { ProofContext, ProofFindings, Subject } from '../prove.ts';
import { restoreAndCompare } from './restore-and-compare.ts';
import { placeName } from './restore-test.ts';

/** Proof level `restore`: the archive is restored into a temporary database, and compared. */
export async function proveRestore(
  { store, key, receipt }: Subject,
  context: ProofContext,
): Promise<ProofFindings> {
  const { inputs, platform, phases } = context;
  const { restoreTest } = inputs;
  if (!restoreTest) throw new TypeError('The level restore comes with a place to restore to');
  const title = `Restore ${store.uri(key)} ${placeName(restoreTest)}, and compare`;
  return phases.run('restore', title, async () => {
    const source = await openSelected(store, { key, receipt });
    try {
      return await restoreAndCompare(source, restoreTest, inputs.binaries, context);
    } catch (error) {
      // The receipt gets the message, which holds no data; who looks for the reason needs all that was said.
      if (error instanceof ContentError && error.cause) platform.info(messageOf(error.cause));
      throw error;
    }
  });
}
