import type { Unit } from '../../archive/segment.ts';
import { UnitCheck } from '../../archive/units.ts';
import { sealedBackup } from '../../backup-reader/seal.ts';
import { LocalHost } from '../../host/local-host.ts';
import type { Run } from '../../platform/run.ts';
import type { ContentsOptions } from '../options.ts';
import type { ProofFindings, Subject } from '../subject.ts';
import { checkArchive } from './archive.ts';
import { checkBareDump } from './bare.ts';
import type { Look } from './look.ts';
import { findPgRestore, type PgRestore } from './pg-restore.ts';

/**
 * Proof level `contents`: the whole object is read back once. Every byte is what was sent, every entry what the
 * directory says, every file of the filestore what its name says; the dumps are whole, and every attachment that they
 * name has its file.
 */
export async function proveContents(
  { store, key, receipt, identities }: Subject,
  { binaries }: ContentsOptions,
  { platform, phases, signal }: Run,
): Promise<ProofFindings> {
  await using runner = new LocalHost();
  const uri = store.uri(key);
  return await phases.transfer('contents', `Read back ${uri}`, receipt.size, async (progress) => {
    let found: PgRestore | undefined;
    const pgRestore = async () => {
      found ??= await findPgRestore(runner, receipt.postgres, binaries);
      return found;
    };
    const reader = await store.range(key);
    const units = new UnitCheck(unitsOf(receipt.segments));
    const seen = (bytes: Buffer) => {
      units.update(bytes);
      progress.add(bytes.length);
    };
    const sealed = sealedBackup(uri, receipt);
    const look: Look = { reader, uri, sealed, identities, pgRestore, units, seen, signal };
    platform.info(receipt.directory ? await checkArchive(look, receipt) : await checkBareDump(look, receipt));
    return found ? { programs: { pg_restore: found.version } } : {};
  });
}

const unitsOf = (segments: readonly { readonly units: readonly Unit[] }[]): Unit[] =>
  segments.flatMap(({ units }) => units).sort((a, b) => a.offset - b.offset);
