import type { Level } from '../catalog/proofs.ts';
import type { OdooAccess } from '../odoo/access.ts';
import type { ProofOptions } from '../verify/options.ts';
import { type Fields, oneOf } from './fields.ts';
import type { Possibly } from './installation.ts';
import { parseRestoreTest, urlWithChecksum } from './restore-test.ts';
import { choices } from './table.ts';

/**
 * @param otherwise what is meant where the input `verify` is not given
 * @param installation is asked for the host, if a restore is to be tested there
 */
export function parseProof(
  fields: Fields,
  otherwise: Exclude<Level, 'boot'>,
  installation: () => Possibly<OdooAccess>,
): ProofOptions | undefined {
  const level = fields.given('verify') ? fields.optional('verify', oneOf(choices.verify)) : otherwise;
  const binaries = fields.optional('postgres-binaries-url', urlWithChecksum);
  const common = { level, ...(binaries && { binaries }) };
  if (level !== 'restore') return level && { ...common, level };
  const restoreTest = parseRestoreTest(fields, installation);
  return restoreTest && { ...common, level, restoreTest };
}
