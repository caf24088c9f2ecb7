import { InputError } from './errors.ts';
import type { SudoPolicy } from './host/accounts.ts';
import type { OdooSettings } from './host/odoo.ts';
import {
  absolutePath,
  boolean,
  durationMs,
  type Environment,
  Fields,
  integer,
  matching,
  oneOf,
  type ReadInput,
  Refusal,
  text,
} from './inputs/fields.ts';
import { parseS3, type S3Inputs } from './inputs/s3.ts';
import { parseSsh, type SshInputs } from './inputs/ssh.ts';
import { choices } from './inputs/table.ts';

/** What one run is to do, checked: one member for each command. */
export type Inputs = BackupInputs;

export interface BackupInputs {
  readonly command: 'backup';
  readonly ssh: SshInputs;
  readonly sudo: SudoPolicy;
  readonly odoo: OdooSettings;
  readonly s3: S3Inputs;
  readonly format: Format;
  /** Parallel connections of one dump, where its format allows. */
  readonly jobs: number;
  /** `auto`: the fastest that both ends have; else a level, where 0 does not compress. */
  readonly compression: 'auto' | number;
  readonly missingFiles: (typeof choices)['missing-files'][number];
  /** Check everything and write nothing. */
  readonly dryRun: boolean;
  /** For the whole run. */
  readonly timeoutMs: number;
  /** What was given and does not count. */
  readonly warnings: readonly string[];
}

export type Format = (typeof choices)['format'][number];

/**
 * Reads and checks every input.
 *
 * @param read the inputs as the platform has them
 * @param env where defaults such as `S3_BUCKET` come from
 * @throws InputError with one line for each problem
 */
export function parseInputs(read: ReadInput, env: Environment): Inputs {
  const fields = new Fields(read, env);
  const command = fields.required('command', oneOf(choices.command));
  const inputs = parseBackup(fields, env);
  if (command === undefined || inputs === undefined || fields.problems.length > 0) {
    throw inputError(fields.problems);
  }
  return inputs;
}

export function inputError(problems: readonly string[]): InputError {
  const message =
    problems.length === 1
      ? problems.join()
      : [`${problems.length} inputs need a change:`, ...problems].join('\n  ');
  return new InputError(message, 'Nothing was touched. The README says what each input takes.');
}

/** @returns undefined when something that must be there is not */
function parseBackup(fields: Fields, env: Environment): BackupInputs | undefined {
  const required = {
    ssh: parseSsh(fields, env),
    sudo: fields.required('sudo', oneOf(choices.sudo)),
    odoo: parseOdoo(fields),
    s3: parseS3(fields, env),
    format: fields.required('format', oneOf(choices.format)),
    jobs: fields.required('jobs', integer(1, 64)),
    compression: fields.required('compression', autoOrLevel),
    missingFiles: fields.required('missing-files', oneOf(choices['missing-files'])),
    timeoutMs: fields.required('timeout', durationMs),
  };
  const dryRun = fields.optional('dry-run', boolean) ?? false;
  if (required.format === 'plain' && required.odoo && required.odoo.filestore !== false) {
    fields.problem('format: plain is one SQL file: set filestore to false, or choose odoo, which holds both');
  }
  return complete(required)
    ? { command: 'backup', ...required, dryRun, warnings: warningsOf(env) }
    : undefined;
}

function parseOdoo(fields: Fields): OdooSettings | undefined {
  const filestore = fields.required('filestore', booleanOrPath);
  const optional = {
    odooConf: fields.optional('odoo-conf', absolutePath),
    database: fields.optional('database', databaseName),
    dbHost: fields.optional('db-host', text),
    dbPort: fields.optional('db-port', integer(1, 65535)),
    dbUser: fields.optional('db-user', text),
    dbPassword: fields.optional('db-password', text),
  };
  return filestore === undefined ? undefined : { ...optional, filestore };
}

type Complete<T> = { [K in keyof T]: Exclude<T[K], undefined> };

function complete<T extends object>(values: T): values is T & Complete<T> {
  return !Object.values(values).includes(undefined);
}

function booleanOrPath(value: string): boolean | string {
  return value.startsWith('/') ? absolutePath(value) : boolean(value, 'neither true, false nor a path');
}

function autoOrLevel(value: string): 'auto' | number {
  if (value === 'auto') return 'auto';
  if (/^\d$/.test(value)) return Number(value);
  throw new Refusal(`'${value}' is neither auto nor a level from 0 (none) to 9`);
}

/** Odoo's own rule (DBNAME_PATTERN of its database manager), and the 63 bytes that PostgreSQL keeps of a name. */
function databaseName(value: string): string {
  if (/[\s,]/.test(value)) throw new Refusal('takes one database: run the action once for each');
  return matching(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/, 'a name that Odoo can give a database')(value);
}

/** DRY_RUN asks for a dry run of a rollback; a backup that honoured it would let a deploy start without one. */
function warningsOf(env: Environment): string[] {
  if (!/^true$/i.test(env.DRY_RUN ?? '')) return [];
  return [
    'DRY_RUN=true does not apply to a backup: it is made all the same. For a dry run set the input dry-run.',
  ];
}
