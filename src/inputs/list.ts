import type { CatalogOptions } from '../catalog/keys.ts';
import type { TrustedSigners } from '../catalog/signatures.ts';
import type { Environment } from '../platform/platform.ts';
import { durationMs, type Fields } from './fields.ts';
import { complete, databaseName } from './installation.ts';
import { parseRetention, type RetentionInputs } from './retention.ts';
import { parseS3 } from './s3.ts';
import { refuseIdentities } from './sealing.ts';
import { parseSigners } from './signing.ts';

export interface ListInputs {
  readonly command: 'list';
  readonly s3: CatalogOptions;
  /** undefined: every one of the customer's. */
  readonly database: string | undefined;
  readonly retention: RetentionInputs;
  /** Whose backups count; undefined: anybody's. */
  readonly signers: TrustedSigners;
  /** Time limit of the whole run. */
  readonly timeoutMs: number;
  /** Warnings about inputs that are given and have no effect. */
  readonly warnings: readonly string[];
}

/** @returns undefined when something that must be there is not */
export function parseList(fields: Fields, env: Environment): ListInputs | undefined {
  const required = {
    s3: parseS3(fields, env),
    retention: parseRetention(fields),
    timeoutMs: fields.required('timeout', durationMs),
  };
  const database = fields.optional('database', databaseName);
  const signers = parseSigners(fields);
  refuseIdentities(fields, 'list');
  return complete(required) ? { command: 'list', ...required, signers, database, warnings: [] } : undefined;
}
