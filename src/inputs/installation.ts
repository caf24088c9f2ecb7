import type { OdooAccess } from '../odoo/access.ts';
import type { OdooSettings } from '../odoo/installation.ts';
import type { Environment } from '../platform/platform.ts';
import { parseCompose } from './compose.ts';
import { absolutePath, boolean, type Fields, integer, matching, oneOf, Refusal, text } from './fields.ts';
import { parseSsh } from './ssh.ts';
import { choices } from './table.ts';

export type Possibly<T> = { readonly [K in keyof T]: T[K] | undefined };

/** @param database the one that is meant; undefined: the one of odoo.conf */
export function parseInstallation(
  fields: Fields,
  env: Environment,
  database: string | undefined,
): Possibly<OdooAccess> {
  return {
    ssh: parseSsh(fields, env),
    sudo: fields.required('sudo', oneOf(choices.sudo)),
    compose: parseCompose(fields),
    odoo: parseOdoo(fields, database),
  };
}

function parseOdoo(fields: Fields, database: string | undefined): OdooSettings | undefined {
  const filestore = fields.required('filestore', booleanOrPath);
  const optional = {
    odooConf: fields.optional('odoo-conf', absolutePath),
    database,
    dbHost: fields.optional('db-host', text),
    dbPort: fields.optional('db-port', integer(1, 65535)),
    dbUser: fields.optional('db-user', text),
    dbPassword: fields.optional('db-password', text),
  };
  return filestore === undefined ? undefined : { ...optional, filestore };
}

function booleanOrPath(value: string): boolean | string {
  return value.startsWith('/') ? absolutePath(value) : boolean(value, 'neither true, false nor a path');
}

/** Odoo's own rule (DBNAME_PATTERN of its database manager), and the 63 bytes that PostgreSQL keeps of a name. */
export function databaseName(value: string): string {
  if (/[\s,]/.test(value)) throw new Refusal('accepts one database: run the action once for each');
  return matching(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/, 'a name that Odoo can give a database')(value);
}

type Complete<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Whether nothing is missing. */
export function complete<T extends object>(values: T): values is T & Complete<T> {
  return !Object.values(values).includes(undefined);
}
