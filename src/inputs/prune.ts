import type { CatalogOptions } from '../catalog/keys.ts';
import type { TrustedSigners } from '../catalog/signatures.ts';
import type { Environment } from '../platform/platform.ts';
import { boolean, durationMs, type Fields } from './fields.ts';
import { complete, databaseName } from './installation.ts';
import { parseRetention, type RetentionInputs } from './retention.ts';
import { parseS3 } from './s3.ts';
import { refuseIdentities } from './sealing.ts';
import { parseSigners } from './signing.ts';

export interface PruneInputs {
  readonly command: 'prune';
  readonly s3: CatalogOptions;
  readonly database: string;
  readonly retention: RetentionInputs;
  /** Say what would be deleted, and delete nothing. */
  readonly dryRun: boolean;
  /** Whose backups count; undefined: anybody's. */
  readonly signers: TrustedSigners;
  /** Time limit of the whole run. */
  readonly timeoutMs: number;
  /** Warnings about inputs that are given and have no effect. */
  readonly warnings: readonly string[];
}

/** @returns undefined when something that must be there is not */
export function parsePrune(fields: Fields, env: Environment): PruneInputs | undefined {
  const required = {
    s3: parseS3(fields, env),
    database: fields.required('database', databaseName, 'is required: the one whose backups are pruned'),
    retention: parseRetention(fields),
    timeoutMs: fields.required('timeout', durationMs),
  };
  const dryRun = fields.optional('dry-run', boolean) ?? /^true$/i.test(env.DRY_RUN ?? '');
  const signers = parseSigners(fields);
  refuseIdentities(fields, 'prune');
  return complete(required) ? { command: 'prune', ...required, signers, dryRun, warnings: [] } : undefined;
}
