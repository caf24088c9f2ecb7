import type { Environment } from '../platform/platform.ts';
import { boundsOf, type DataCheck, hasStatement } from '../rehearsal/checks.ts';
import type { LiveCheckOptions, RehearseOptions } from '../rehearsal/options.ts';
import { messageOf } from '../util/errors.ts';
import { boolean, durationMs, type Fields, integer, matching, oneOf, Refusal, text } from './fields.ts';
import { backupName, refuseEmptyBackup } from './gate.ts';
import { healthCheck } from './health-check.ts';
import { complete, databaseName, parseInstallation } from './installation.ts';
import { accountName, sqlFiles, tableNames, unitNames } from './restore.ts';
import { parseS3 } from './s3.ts';
import { parseIdentities } from './sealing.ts';
import { parseSigners } from './signing.ts';
import { choices } from './table.ts';

export type RehearseInputs = RehearsalInputs | LiveCheckInputs;

interface TimedInputs {
  readonly command: 'rehearse';
  /** Time limit of the whole run. */
  readonly timeoutMs: number;
  /** Warnings about inputs that are given and have no effect. */
  readonly warnings: readonly string[];
}

/** A rehearsal on a copy. */
export interface RehearsalInputs extends TimedInputs, RehearseOptions {
  readonly checksOnly: false;
}

/** The checks alone, on the database in use. */
export interface LiveCheckInputs extends TimedInputs, LiveCheckOptions {
  readonly checksOnly: true;
}

/** @returns undefined when something that must be there is not */
export function parseRehearse(fields: Fields, env: Environment): RehearseInputs | undefined {
  return fields.optional('checks-only', boolean) ? parseLiveChecks(fields, env) : parseRehearsal(fields, env);
}

function parseLiveChecks(fields: Fields, env: Environment): LiveCheckInputs | undefined {
  const required = {
    ...parseInstallation(fields, env, fields.optional('database', databaseName)),
    checks: fields.required('rehearse-checks', dataChecks, 'is required, because checks-only is set'),
    timeoutMs: fields.required('timeout', durationMs),
  };
  return complete(required)
    ? { command: 'rehearse', checksOnly: true, ...required, warnings: [] }
    : undefined;
}

function parseRehearsal(fields: Fields, env: Environment): RehearsalInputs | undefined {
  const required = {
    ...parseInstallation(fields, env, fields.optional('database', databaseName)),
    s3: parseS3(fields, env),
    backup: fields.required('backup', backupName),
    health: fields.required('health-check', healthCheck),
    failOn: fields.required('rehearse-fail-on', oneOf(choices['rehearse-fail-on'])),
    timeoutMs: fields.required('timeout', durationMs),
  };
  refuseEmptyBackup(fields, env);
  const units = fields.optional('services', unitNames);
  const image = fields.optional('rehearse-image', imageName);
  if (image !== undefined && required.compose?.odooService === undefined) {
    fields.problem('rehearse-image: is for Compose: set compose-odoo-service');
  }
  const optional = {
    services: units && ({ kind: 'units', units } as const),
    jobs: fields.optional('jobs', integer(1, 64)),
    dbAdminUser: fields.optional('db-admin-user', text),
    allowUnverified: fields.optional('allow-unverified', boolean) ?? false,
    signers: parseSigners(fields),
    identities: parseIdentities(fields),
    skipTables: fields.optional('skip-table-data', tableNames) ?? [],
    dryRun: fields.optional('dry-run', boolean) ?? /^true$/i.test(env.DRY_RUN ?? ''),
  };
  const asked = {
    command: fields.optional('rehearse-command', text),
    user: fields.optional('rehearse-user', accountName),
    start: fields.optional('rehearse-start', text),
    image,
    checks: fields.optional('rehearse-checks', dataChecks) ?? [],
  };
  if (!complete(required)) return undefined;
  const { failOn, ...rest } = required;
  const rehearsal = { ...asked, failOn };
  return { command: 'rehearse', checksOnly: false, ...rest, ...optional, rehearsal, warnings: [] };
}

/** Files of SQL on the runner, each one check. */
const dataChecks = (value: string): DataCheck[] =>
  sqlFiles(value).map((file) => {
    if (!hasStatement(file.sql)) throw new Refusal(`${file.name} has no statement: it would pass always`);
    try {
      return { ...file, expects: boundsOf(file.sql) };
    } catch (error) {
      throw new Refusal(`${file.name}: ${messageOf(error)}`);
    }
  });

/** A name that begins with a dash would be an option. https://pkg.go.dev/github.com/distribution/reference */
const imageName = matching(/^[A-Za-z0-9][\w.:/@-]{0,254}$/, 'the name of an image');
