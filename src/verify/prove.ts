import type { Proof } from '../catalog/proofs.ts';
import type { Receipt } from '../catalog/receipt.ts';
import { LocalHost } from '../host/local-host.ts';
import type { Run } from '../platform/run.ts';
import { ContentError, UnrestorableError } from '../util/errors.ts';
import { tool } from '../util/version.ts';
import { proveBoot } from './boot/prove.ts';
import { findPgRestore, mayNeedPgRestore } from './contents/pg-restore.ts';
import { proveContents } from './contents/prove.ts';
import type { LookOptions, ProofOptions } from './options.ts';
import { majorOfBackup } from './restore/dump-needs.ts';
import { proveRestore } from './restore/prove.ts';
import { findPrograms } from './restore/servers/programs.ts';
import type { ProofFindings, Subject } from './subject.ts';

/**
 * Looks at an archive once, at this level and no other.
 * @throws whatever kept it from finding out. An archive that fails is no error: its proof says so.
 */
export async function prove(subject: Subject, options: LookOptions, run: Run): Promise<Proof> {
  const started = performance.now();
  const proof = (found: Partial<Proof>): Proof => {
    const seconds = Math.round(performance.now() - started) / 1000;
    return { level: options.level, at: new Date().toISOString(), tool, seconds, ...found };
  };
  try {
    const found = await look(subject, options, run);
    run.signal.throwIfAborted();
    return proof(found);
  } catch (error) {
    run.signal.throwIfAborted();
    if (!(error instanceof ContentError)) throw error;
    return proof({
      failure: error.message,
      ...(error instanceof UnrestorableError ? { unrestorable: true } : {}),
    });
  }
}

/**
 * Looks whether an archive is what its level says.
 * @throws ContentError that names what is wrong with the archive; anything else where that could not be found out
 */
function look(subject: Subject, options: LookOptions, run: Run): Promise<ProofFindings> {
  switch (options.level) {
    case 'contents':
      return proveContents(subject, options, run);
    case 'restore':
      return proveRestore(subject, options, run);
    case 'boot':
      return proveBoot(subject, options, run);
  }
}

/**
 * Makes sure that this machine has what a proof takes, before anything is done.
 *
 * @param backup the format that it will have, and the pg_dump that will write it
 * @throws UserError that says what is missing, and how to get it
 */
export async function assertProvable(
  options: ProofOptions,
  backup: Pick<Receipt, 'format' | 'postgres'>,
): Promise<void> {
  if (options.level === 'upload') return;
  const { binaries } = options;
  await using runner = new LocalHost();
  if (mayNeedPgRestore(backup)) await findPgRestore(runner, backup.postgres, binaries);
  if (options.level === 'restore' && options.restoreTest.kind === 'runner')
    await findPrograms(runner, majorOfBackup(backup), binaries);
}
