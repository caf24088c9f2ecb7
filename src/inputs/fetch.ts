import type { CatalogOptions } from '../catalog/keys.ts';
import type { TrustedSigners } from '../catalog/signatures.ts';
import type { FetchRequest, FetchTarget } from '../fetch/request.ts';
import { detectPlatform, type Environment } from '../platform/platform.ts';
import type { Identities } from '../sealing/identities.ts';
import { isPrintable } from '../util/controls.ts';
import { boolean, durationMs, type Fields, matching, Refusal } from './fields.ts';
import { backupName, refuseEmptyBackup } from './gate.ts';
import { complete, databaseName } from './installation.ts';
import { parseS3 } from './s3.ts';
import { parseIdentities } from './sealing.ts';
import { parseSigners } from './signing.ts';

export interface FetchInputs {
  readonly command: 'fetch';
  readonly s3: CatalogOptions;
  /** undefined: the customer's only one. */
  readonly database: string | undefined;
  /** `latest`, a key, an URI or a time. */
  readonly backup: string;
  readonly allowUnverified: boolean;
  readonly signers: TrustedSigners;
  /** What opens a sealed backup. */
  readonly identities: Identities | undefined;
  readonly request: FetchRequest;
  readonly target: FetchTarget;
  /** Time limit of the whole run. */
  readonly timeoutMs: number;
  /** Warnings about inputs that are given and have no effect. */
  readonly warnings: readonly string[];
}

/** @returns undefined when something that must be there is not */
export function parseFetch(fields: Fields, env: Environment): FetchInputs | undefined {
  const replace = fields.optional('replace', boolean) ?? false;
  const required = {
    s3: parseS3(fields, env),
    backup: fields.required('backup', backupName),
    request: parseRequest(fields),
    target: fields.required(
      'output',
      (value) => outputTarget(value, replace, env),
      'is required: the file to write, or - for standard output',
    ),
    timeoutMs: fields.required('timeout', durationMs),
  };
  refuseEmptyBackup(fields, env);
  const optional = {
    database: fields.optional('database', databaseName),
    allowUnverified: fields.optional('allow-unverified', boolean) ?? false,
    signers: parseSigners(fields),
    identities: parseIdentities(fields),
  };
  return complete(required) ? { command: 'fetch', ...required, ...optional, warnings: [] } : undefined;
}

const PARTS = ['member', 'attachment', 'record', 'table'] as const;

/** One of the parts, or the whole. */
function parseRequest(fields: Fields): FetchRequest | undefined {
  const given = PARTS.filter((name) => fields.given(name));
  const parsed: { readonly [P in (typeof PARTS)[number]]: FetchRequest | undefined } = {
    member: fields.optional('member', memberOf),
    attachment: fields.optional('attachment', attachmentOf),
    record: fields.optional('record', recordOf),
    table: fields.optional('table', tableOf),
  };
  const [name, ...others] = given;
  if (name === undefined) return { kind: 'archive' };
  if (others.length === 0) return parsed[name];
  return void fields.problem(
    `${name}: cannot be combined with ${others.join(', ')}: a run fetches one thing`,
  );
}

function memberOf(value: string): FetchRequest {
  const name = value.replace(/^(\.\/)+/, '');
  if (isPrintable(name)) return { kind: 'member', name };
  throw new Refusal('has a control character in it, which no member has');
}

/** A SHA-1, or the id of an `ir.attachment`. PostgreSQL's integer has 10 digits. */
function attachmentOf(value: string): FetchRequest {
  if (/^[0-9a-f]{40}$/i.test(value)) return { kind: 'content', sha1: value.toLowerCase() };
  if (/^\d{1,10}$/.test(value)) return { kind: 'attachment', id: Number(value) };
  throw new Refusal(`'${value}' is neither a SHA-1 (40 hexadecimal digits) nor the id of an attachment`);
}

function recordOf(value: string): FetchRequest {
  const [, model, id] = /^([A-Za-z_][\w.]{0,255})[/,](\d{1,10})$/.exec(value) ?? [];
  if (model !== undefined) return { kind: 'record', model, id: Number(id) };
  throw new Refusal(`'${value}' is not a record, such as account.move/42`);
}

/** `res_partner`, or `schema.table`: names as they are, without quotes. */
function tableOf(value: string): FetchRequest {
  const [, schema = 'public', table = ''] = /^(?:([^.]+)\.)?([^.]+)$/s.exec(value) ?? [];
  const names = [schema, table].every(
    (name) => isPrintable(name) && name !== '' && Buffer.byteLength(name) <= 63,
  );
  if (names) return { kind: 'table', table: { schema, table } };
  throw new Refusal(`'${value}' is not the name of a table, such as res_partner or schema.table`);
}

const path = matching(/^[^\0\n\r]{1,4096}$/, 'a path');

function outputTarget(value: string, replace: boolean, env: Environment): FetchTarget {
  if (value !== '-') return { kind: 'path', path: path(value), replace };
  if (detectPlatform(env) === 'terminal') return { kind: 'standard output' };
  throw new Refusal('- is for a terminal: in a job, standard output is its log. Name a file');
}
