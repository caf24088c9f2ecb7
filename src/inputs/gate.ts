import type { CatalogOptions } from '../catalog/keys.ts';
import { assertNamesBackup } from '../catalog/named-backup.ts';
import type { Level } from '../catalog/proofs.ts';
import type { TrustedSigners } from '../catalog/signatures.ts';
import type { Environment } from '../platform/platform.ts';
import { variableOf } from '../platform/variables.ts';
import { durationMs, type Fields, oneOf, parseDurationMs } from './fields.ts';
import { complete, databaseName } from './installation.ts';
import { percent } from './retention.ts';
import { parseS3 } from './s3.ts';
import { refuseIdentities } from './sealing.ts';
import { parseSigners } from './signing.ts';
import { choices } from './table.ts';

export interface GateInputs {
  readonly command: 'gate';
  readonly s3: CatalogOptions;
  readonly database: string;
  /** `latest`: any backup that meets the requirements; else the key, URI or time of the one that has to be there. */
  readonly backup: string;
  readonly require: Level;
  readonly maxAgeMs: number;
  /** How much less than the ones before it the backup may have, in percent. */
  readonly maxShrink: number;
  /** How long a restore may take, as the last restore test has measured it; undefined: however long. */
  readonly maxRestoreMs: number | undefined;
  /** Whose backups count; undefined: anybody's. */
  readonly signers: TrustedSigners;
  /** Time limit of the whole run. */
  readonly timeoutMs: number;
  /** Warnings about inputs that are given and have no effect. */
  readonly warnings: readonly string[];
}

const TIMES_MS = [1000, 7 * 24 * 3_600_000] as const;
const AGES_MS = [60_000, 3650 * 24 * 3_600_000] as const;

/** @returns undefined when something that must be there is not */
export function parseGate(fields: Fields, env: Environment): GateInputs | undefined {
  const required = {
    s3: parseS3(fields, env),
    database: fields.required(
      'database',
      databaseName,
      'is required, because a gate does not connect to the host',
    ),
    backup: fields.required('backup', backupName),
    require: fields.required('require', oneOf(choices.require)),
    maxAgeMs: fields.required('max-age', (value) => parseDurationMs(value, ...AGES_MS)),
    maxShrink: fields.required('max-shrink', percent),
    timeoutMs: fields.required('timeout', durationMs),
  };
  refuseEmptyBackup(fields, env);
  const maxRestoreMs = fields.optional('max-restore', (value) => parseDurationMs(value, ...TIMES_MS));
  const signers = parseSigners(fields);
  refuseIdentities(fields, 'gate');
  return complete(required)
    ? { command: 'gate', ...required, maxRestoreMs, signers, warnings: [] }
    : undefined;
}

/** What names a backup: `latest`, a key, an `s3://` URI or a time. */
export function backupName(value: string): string {
  assertNamesBackup(value);
  return value;
}

/** An expression that found nothing. The default would take any other backup for the one that was meant. */
export function refuseEmptyBackup(fields: Fields, env: Environment): void {
  if ([env.INPUT_BACKUP, env[variableOf('backup')]].some((value) => value?.trim() === '')) {
    fields.problem(
      'backup: is empty: the earlier job did not pass its key on (leave it out to accept any backup)',
    );
  }
}
