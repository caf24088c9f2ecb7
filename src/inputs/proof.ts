import { type Level, levels } from '../catalog/proofs.ts';
import type { OdooAccess } from '../odoo/access.ts';
import type { ProofOptions } from '../verify/options.ts';
import { type Fields, oneOf, text } from './fields.ts';
import { healthCheck } from './health-check.ts';
import type { Possibly } from './installation.ts';
import { unitNames } from './restore.ts';
import { parseBootTest, parseRestoreTest, urlWithChecksum } from './restore-test.ts';

/**
 * @param otherwise what is meant where the input `verify` is not given
 * @param installation is asked for the host, if a restore is to be tested there
 */
export function parseProof(
  fields: Fields,
  otherwise: Level,
  installation: () => Possibly<OdooAccess>,
): ProofOptions | undefined {
  const level = fields.given('verify') ? fields.optional('verify', oneOf(levels)) : otherwise;
  const binaries = fields.optional('postgres-binaries-url', urlWithChecksum);
  const common = { level, ...(binaries && { binaries }) };
  if (level === 'boot') {
    const restoreTest = parseBootTest(fields, installation);
    const units = fields.optional('services', unitNames) ?? [];
    const start = fields.optional('rehearse-start', text);
    const health = fields.required('health-check', healthCheck);
    return (
      restoreTest && health && { ...common, level, restoreTest, units, start, timeoutMs: health.timeoutMs }
    );
  }
  if (level !== 'restore') return level && { ...common, level };
  const restoreTest = parseRestoreTest(fields, installation);
  return restoreTest && { ...common, level, restoreTest };
}
