import type { BackupOptions } from '../backup/options.ts';
import type { Environment } from '../platform/platform.ts';
import { type DatabaseChoice, databaseChoice } from './database-choice.ts';
import {
  boolean,
  durationMs,
  type Fields,
  integer,
  matching,
  oneOf,
  parseDurationMs,
  Refusal,
} from './fields.ts';
import { complete, parseInstallation } from './installation.ts';
import { parsePin } from './mark.ts';
import { parseProof } from './proof.ts';
import { parseRetention, type RetentionInputs } from './retention.ts';
import { parseS3 } from './s3.ts';
import { parseRecipients, refuseIdentities } from './sealing.ts';
import { parseSigning } from './signing.ts';
import { choices } from './table.ts';

export interface BackupInputs extends BackupOptions {
  readonly command: 'backup';
  /** The databases to back up, each into an archive of its own. `odoo.database` is that of `one`. */
  readonly databases: DatabaseChoice;
  /** What becomes of older backups once this one is made; undefined: nothing. */
  readonly retention: RetentionInputs | undefined;
  /** Why no rule is to delete the new backup; undefined: the rules decide. */
  readonly pin: string | undefined;
  /** Time limit of the whole run. */
  readonly timeoutMs: number;
  /** Warnings about inputs that are given and have no effect. */
  readonly warnings: readonly string[];
}

const DEFAULT_JOBS = 4;
const DAY_MS = 24 * 3_600_000;

/** @returns undefined when something that must be there is not */
export function parseBackup(fields: Fields, env: Environment): BackupInputs | undefined {
  refuseIdentities(fields, 'backup');
  return parseBackupPart(fields, env);
}

/** The same within `doctor`, whose rollback needs what opens a sealed backup. */
export function parseBackupPart(fields: Fields, env: Environment): BackupInputs | undefined {
  const databases = fields.optional('database', databaseChoice) ?? { kind: 'one', database: undefined };
  const installation = parseInstallation(
    fields,
    env,
    databases.kind === 'one' ? databases.database : undefined,
  );
  const required = {
    ...installation,
    s3: parseS3(fields, env),
    format: fields.required('format', oneOf(choices.format)),
    compression: fields.required('compression', autoOrLevel),
    missingFiles: fields.required('missing-files', oneOf(choices['missing-files'])),
    countTables: fields.required('count-tables', tables),
    incremental: fields.required('incremental', boolean),
    fullEveryMs: fields.required('full-every', (value) => parseDurationMs(value, DAY_MS, 3650 * DAY_MS)),
    proof: parseProof(fields, 'upload', () => installation),
    timeoutMs: fields.required('timeout', durationMs),
  };
  const signing = parseSigning(fields, installation.ssh ?? {});
  const encryptTo = parseRecipients(fields);
  if (encryptTo && required.proof && required.proof.level !== 'upload') {
    fields.problem(
      `verify: ${required.proof.level} reads what encrypt-to seals, for which this job has no key: leave it out, and run the command verify in another job, with decrypt-with`,
    );
  }
  const pin = parsePin(fields);
  const jobs = fields.optional('jobs', integer(1, 64)) ?? DEFAULT_JOBS;
  const prune = fields.optional('prune', boolean) ?? false;
  const retention = prune ? parseRetention(fields) : undefined;
  const dryRun = fields.optional('dry-run', boolean) ?? false;
  if (required.format === 'plain' && required.odoo && required.odoo.filestore !== false) {
    fields.problem('format: plain is one SQL file: set filestore to false, or choose odoo, which holds both');
  }
  if (databases.kind !== 'one' && typeof required.odoo?.filestore === 'string') {
    fields.problem(
      'filestore: a path is the filestore of one database: with several, set it to true or false',
    );
  }
  return complete(required)
    ? {
        command: 'backup',
        ...required,
        databases,
        signing,
        encryptTo,
        jobs,
        pin,
        retention,
        dryRun,
        warnings: warningsOf(env),
      }
    : undefined;
}

function tables(value: string): BackupOptions['countTables'] {
  if (value === 'core' || value === 'all') return value;
  const form = matching(/^[^"'\\]{1,127}$/, 'core, all, or the names of tables');
  return value
    .split(/[\s,]+/)
    .filter((name) => name !== '')
    .map(form);
}

function autoOrLevel(value: string): 'auto' | number {
  if (value === 'auto') return 'auto';
  if (/^\d$/.test(value)) return Number(value);
  throw new Refusal(`'${value}' is neither auto nor a level from 0 (none) to 9`);
}

/** DRY_RUN asks for a dry run of a rollback; a backup that honoured it would let a deploy start without one. */
function warningsOf(env: Environment): string[] {
  if (!/^true$/i.test(env.DRY_RUN ?? '')) return [];
  return [
    'DRY_RUN=true does not apply to a backup: it is made all the same. For a dry run set the input dry-run.',
  ];
}
