import { durationMs, type Environment, type Fields, integer, Refusal } from './fields.ts';
import { refuseEmptyBackup } from './gate.ts';
import { complete, databaseName, parseInstallation } from './installation.ts';
import { type ProofInputs, parseProof } from './proof.ts';
import { parseS3, type S3Inputs } from './s3.ts';

export interface VerifyInputs {
  readonly command: 'verify';
  readonly s3: S3Inputs;
  /** undefined: every one of the customer's. */
  readonly database: string | undefined;
  readonly which: Which;
  readonly proof: ProofInputs;
  /** For the whole run. */
  readonly timeoutMs: number;
  /** What was given and does not count. */
  readonly warnings: readonly string[];
}

/** Which backups are verified. `latest` and `oldest` are of each database. */
export type Which =
  | { readonly kind: 'latest' }
  /** Those whose newest proof is the oldest. */
  | { readonly kind: 'oldest'; readonly count: number }
  /** A key, an `s3://` URI, or the time of a key. */
  | { readonly kind: 'named'; readonly backup: string };

/** @returns undefined when something that must be there is not */
export function parseVerify(fields: Fields, env: Environment): VerifyInputs | undefined {
  const required = {
    s3: parseS3(fields, env),
    which: fields.required('backup', whichBackups),
    proof: parseProof(fields, 'contents', () => parseInstallation(fields, env, undefined)),
    timeoutMs: fields.required('timeout', durationMs),
  };
  if (required.proof?.level === 'upload') {
    fields.problem('verify: upload is what every backup has been verified to: choose contents or restore');
  }
  refuseEmptyBackup(fields, env);
  const database = fields.optional('database', databaseName);
  return complete(required) ? { command: 'verify', ...required, database, warnings: [] } : undefined;
}

/** `latest`, `oldest`, `oldest 3`, or the name of one. */
function whichBackups(value: string): Which {
  if (value === 'latest') return { kind: 'latest' };
  const oldest = /^oldest(?:\s+(.*))?$/.exec(value);
  if (!oldest) return { kind: 'named', backup: value };
  const [, count = '1'] = oldest;
  try {
    return { kind: 'oldest', count: integer(1, 1000)(count) };
  } catch {
    throw new Refusal(`'${value}' is not oldest with a number from 1 to 1000 behind it`);
  }
}
