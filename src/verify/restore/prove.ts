import { openSelected } from '../../backup-reader/open.ts';
import type { Run } from '../../platform/run.ts';
import { ContentError, messageOf } from '../../util/errors.ts';
import type { RestoreTestOptions } from '../options.ts';
import type { ProofFindings, Subject } from '../subject.ts';
import { restoreAndCompare } from './restore-and-compare.ts';
import { placeName } from './restore-test.ts';

/** Proof level `restore`: the archive is restored into a temporary database, and compared. */
export async function proveRestore(
  { store, key, receipt, identities }: Subject,
  { restoreTest, binaries }: RestoreTestOptions,
  run: Run,
): Promise<ProofFindings> {
  const { platform, phases } = run;
  const title = `Restore ${store.uri(key)} ${placeName(restoreTest)}, and compare`;
  return phases.run('restore', title, async () => {
    const source = await openSelected(store, { key, receipt }, identities);
    try {
      return await restoreAndCompare(source, restoreTest, binaries, run);
    } catch (error) {
      // The receipt gets the message, which holds no data; who looks for the reason needs all that was said.
      if (error instanceof ContentError && error.cause) platform.info(messageOf(error.cause));
      throw error;
    }
  });
}
