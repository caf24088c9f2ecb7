import { type Level, levels } from '../storage/proofs.ts';
import type { RestoreTest } from '../verify/restore/restore-test.ts';
import { type Fields, oneOf } from './fields.ts';
import type { InstallationInputs, Possibly } from './installation.ts';
import { parseRestoreTest } from './restore-test.ts';

/** How far a backup is to be proven, and what that takes. */
export interface ProofInputs {
  readonly level: Level;
  /** Where it is restored: at the level `restore` only. */
  readonly restoreTest?: RestoreTest;
}

/**
 * @param otherwise what is meant where the input `verify` is not given
 * @param installation is asked for the host, if a restore is to be tested there
 */
export function parseProof(
  fields: Fields,
  otherwise: Level,
  installation: () => Possibly<InstallationInputs>,
): ProofInputs | undefined {
  const level = fields.given('verify') ? fields.optional('verify', oneOf(levels)) : otherwise;
  if (level !== 'restore') return level && { level };
  const restoreTest = parseRestoreTest(fields, installation);
  return restoreTest && { level, restoreTest };
}
