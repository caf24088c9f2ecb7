import { readFileSync } from 'node:fs';
import type { SqlFile } from '../odoo/after-load.ts';
import type { Environment } from '../platform/platform.ts';
import { isDerivedName } from '../postgres/derived-names.ts';
import type { KeepPrevious, PutBackOptions, ServiceChoice } from '../restore/options.ts';
import { messageOf } from '../util/errors.ts';
import { boolean, durationMs, type Fields, integer, matching, Refusal, text } from './fields.ts';
import { backupName, refuseEmptyBackup } from './gate.ts';
import { healthCheck } from './health-check.ts';
import { complete, databaseName, parseInstallation } from './installation.ts';
import { parseS3 } from './s3.ts';
import { parseIdentities, parseRecipients } from './sealing.ts';
import { parseSigners } from './signing.ts';
import type { InputName } from './table.ts';

/** What rollback and restore have in common. */
interface PutBackInputs extends PutBackOptions {
  /** Time limit of the whole run. */
  readonly timeoutMs: number;
  /** Warnings about inputs that are given and have no effect. */
  readonly warnings: readonly string[];
}

/** A restore in place: the same host, the same database. */
export interface RollbackInputs extends PutBackInputs {
  readonly command: 'rollback';
}

/** Into another database, or on another host. */
export interface RestoreInputs extends PutBackInputs {
  readonly command: 'restore';
  readonly targetDatabase: string;
  /** Whether a target that exists already is replaced. */
  readonly replace: boolean;
  readonly neutralize: boolean;
  readonly newUuid: boolean;
  readonly afterLoad: readonly SqlFile[];
  readonly skipTables: readonly string[];
}

/** @returns undefined when something that must be there is not */
export function parseRollback(fields: Fields, env: Environment): RollbackInputs | undefined {
  for (const name of [
    'target-database',
    'replace',
    'new-uuid',
    'neutralize',
    'after-load',
    'skip-table-data',
  ] as const) {
    if (fields.given(name)) {
      fields.problem(`${name}: is for the command restore; a rollback puts the same database back in place`);
    }
  }
  const inputs = parsePutBack(fields, env, parseCode(fields));
  const odooService = inputs?.compose?.odooService;
  if (inputs && odooService !== undefined) {
    return { command: 'rollback', ...inputs, services: withOdoo(inputs.services, odooService) };
  }
  const names = ['services', 'stop-command', 'start-command', 'compose-odoo-service'] as const;
  if (!names.some((name) => fields.given(name))) {
    fields.problem(
      'services: is required for a rollback: the systemd units that run Odoo (or stop-command and start-command, or compose-odoo-service)',
    );
  }
  return inputs && { command: 'rollback', ...inputs };
}

/** A rollback also stops the service of Odoo when it is not named, and before those that are named. */
function withOdoo(services: ServiceChoice | undefined, odoo: string): ServiceChoice {
  if (services?.kind === 'commands') return services;
  return { kind: 'units', units: [...new Set([odoo, ...(services?.units ?? [])])] };
}

/** @returns undefined when something that must be there is not */
export function parseRestore(fields: Fields, env: Environment): RestoreInputs | undefined {
  const inputs = parsePutBack(fields, env, undefined);
  const targetDatabase = fields.required(
    'target-database',
    newDatabaseName,
    'is required: the name of the database to restore into',
  );
  const folder = inputs?.odoo.filestore;
  if (typeof folder === 'string' && targetDatabase !== undefined && lastPart(folder) !== targetDatabase) {
    fields.problem(
      `filestore: ${folder} is not the folder of ${targetDatabase}: Odoo looks for its attachments in <data_dir>/filestore/${targetDatabase}`,
    );
  }
  const flag = (name: InputName, otherwise: boolean) => fields.optional(name, boolean) ?? otherwise;
  const flags = {
    replace: flag('replace', false),
    neutralize: flag('neutralize', true),
    newUuid: flag('new-uuid', true),
    afterLoad: fields.optional('after-load', sqlFiles) ?? [],
    skipTables: fields.optional('skip-table-data', tableNames) ?? [],
  };
  return inputs && targetDatabase !== undefined
    ? { command: 'restore', ...inputs, targetDatabase, ...flags }
    : undefined;
}

const MOST_SQL_BYTES = 64 * 1024 ** 2;

/** Paths of files on the runner, separated by commas or line breaks. */
export function sqlFiles(value: string): SqlFile[] {
  const names = value.split(/[,\n]/).flatMap((name) => name.trim() || []);
  return names.map((name) => {
    let bytes: Buffer;
    try {
      bytes = readFileSync(name);
    } catch (error) {
      throw new Refusal(`${name} cannot be read: ${messageOf(error)}`);
    }
    if (bytes.length > MOST_SQL_BYTES || bytes.includes(0)) throw new Refusal(`${name} is no file of SQL`);
    return { name, sql: bytes.toString('utf8') };
  });
}

export const tableNames = (value: string): string[] =>
  value
    .split(/[\s,]+/)
    .filter((name) => name !== '')
    .map(matching(/^\w+(\.\w+)?$/, 'the name of a table, or schema.table'));

/** PostgreSQL's own: one of them replaced, and nothing can log in or create a database any more. */
const SERVERS_OWN = ['postgres', 'template0', 'template1'];

function newDatabaseName(value: string): string {
  const name = databaseName(value);
  if (SERVERS_OWN.includes(name)) throw new Refusal(`'${name}' is a database of PostgreSQL's own`);
  if (isDerivedName(name)) {
    throw new Refusal(
      `'${name}' is a name that restores give to what they build and replace: the next one might remove it`,
    );
  }
  return name;
}

const lastPart = (path: string): string => path.replace(/\/+$/, '').split('/').at(-1) ?? '';

function parsePutBack(
  fields: Fields,
  env: Environment,
  code: PutBackOptions['code'],
): PutBackInputs | undefined {
  const required = {
    ...parseInstallation(fields, env, fields.optional('database', databaseName)),
    s3: parseS3(fields, env),
    backup: fields.required('backup', backupName),
    health: fields.required('health-check', healthCheck),
    keepPrevious: fields.required('keep-previous', keepPrevious),
    timeoutMs: fields.required('timeout', durationMs),
  };
  refuseEmptyBackup(fields, env);
  const optional = {
    code,
    services: parseServices(fields),
    jobs: fields.optional('jobs', integer(1, 64)),
    dbAdminUser: fields.optional('db-admin-user', text),
    allowUnverified: fields.optional('allow-unverified', boolean) ?? false,
    signers: parseSigners(fields),
    identities: parseIdentities(fields),
    keepSequences: code !== undefined && (fields.optional('keep-sequences', boolean) ?? false),
    salvage: code !== undefined && (fields.optional('salvage', boolean) ?? false),
    encryptTo: code === undefined ? undefined : parseRecipients(fields),
    dropSlots: fields.optional('drop-slots', boolean) ?? false,
    dryRun: fields.optional('dry-run', boolean) ?? /^true$/i.test(env.DRY_RUN ?? ''),
  };
  return complete(required) ? { ...required, ...optional, warnings: [] } : undefined;
}

function parseCode(fields: Fields): PutBackOptions['code'] {
  const shell = fields.optional('code-command', text);
  const user = fields.optional('code-user', accountName);
  const requireSame = fields.optional('require-same-code', boolean) ?? false;
  if (user !== undefined && shell === undefined)
    fields.problem('code-user: is for code-command, which is not set');
  return { command: shell === undefined ? undefined : { shell, user }, requireSame };
}

/** useradd(8) */
export const accountName = matching(/^[A-Za-z_][\w.-]{0,31}$/, 'the name of an account of the host');

function parseServices(fields: Fields): ServiceChoice | undefined {
  const units = fields.optional('services', unitNames);
  const stop = fields.optional('stop-command', text);
  const start = fields.optional('start-command', text);
  if (units && (stop ?? start) !== undefined) {
    fields.problem('services: cannot be combined with stop-command and start-command: give one or the other');
  }
  if ((stop === undefined) !== (start === undefined)) {
    fields.problem(
      `${stop === undefined ? 'stop-command' : 'start-command'}: is required, because ${stop === undefined ? 'start-command' : 'stop-command'} is set`,
    );
  }
  if (units) return { kind: 'units', units };
  return stop !== undefined && start !== undefined ? { kind: 'commands', stop, start } : undefined;
}

export function unitNames(value: string): string[] {
  const names = value.split(/[\s,]+/).filter((name) => name !== '');
  // systemd.unit(5); a name that begins with a dash would be an option.
  return names.map(
    matching(/^[A-Za-z0-9:_.\\@][A-Za-z0-9:_.\\@-]*$/, 'the name of a systemd unit or of a Compose service'),
  );
}

function keepPrevious(value: string): KeepPrevious {
  if (value === 'until-healthy' || value === 'always') return value;
  const days = /^(\d{1,4})d?$/.exec(value)?.[1];
  if (days !== undefined && Number(days) > 0) return Number(days);
  throw new Refusal(`'${value}' is neither until-healthy, always nor a number of days`);
}
