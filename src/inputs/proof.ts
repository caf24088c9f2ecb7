import { type Level, levels } from '../catalog/proofs.ts';
import type { RestoreTest } from '../verify/restore/restore-test.ts';
import type { PostgresBinaries } from '../verify/restore/servers/binaries.ts';
import { type Fields, oneOf } from './fields.ts';
import type { InstallationInputs, Possibly } from './installation.ts';
import { parseRestoreTest, urlWithChecksum } from './restore-test.ts';

/** How far a backup is to be proven, and what that takes. */
export interface ProofInputs {
  readonly level: Level;
  /** For the runner, where it has no PostgreSQL of its own that fits. */
  readonly binaries?: PostgresBinaries;
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
  const binaries = fields.optional('postgres-binaries-url', urlWithChecksum);
  const common = { level, ...(binaries && { binaries }) };
  if (level !== 'restore') return level && { ...common, level };
  const restoreTest = parseRestoreTest(fields, installation);
  return restoreTest && { ...common, level, restoreTest };
}
