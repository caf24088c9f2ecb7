import type { RangeReader } from '../../archive/ranges.ts';
import type { Unit } from '../../archive/segment.ts';
import { UnitCheck } from '../../archive/units.ts';
import { type SealedBackup, sealedBackup } from '../../backup-reader/seal.ts';
import { LocalHost } from '../../host/local-host.ts';
import type { Run } from '../../platform/run.ts';
import type { Identities } from '../../sealing/identities.ts';
import type { ContentsOptions, ProofFindings, Subject } from '../prove.ts';
import { checkArchive } from './archive.ts';
import { checkBareDump } from './bare.ts';
import { findPgRestore, type PgRestore } from './pg-restore.ts';

/** What a look at the contents works with. */
export interface Look {
  readonly reader: RangeReader;
  /** For messages. */
  readonly uri: string;
  readonly sealed: SealedBackup;
  readonly identities: Identities | undefined;
  /** A pg_restore for a dump that is not known here. @throws UserError when there is none */
  readonly pgRestore: () => Promise<PgRestore>;
  /** Compares what was read with what was written. */
  readonly units: UnitCheck;
  /** To be told every byte, in their order. */
  readonly seen: (bytes: Buffer) => void;
  readonly signal: AbortSignal;
}

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
