import type { CatalogOptions } from '../catalog/keys.ts';
import type { SigningOptions } from '../catalog/signing-key.ts';
import type { Environment } from '../platform/platform.ts';
import type { Identities } from '../sealing/identities.ts';
import type { Which } from '../verify/choose.ts';
import type { LookOptions } from '../verify/options.ts';
import { durationMs, type Fields, integer, Refusal } from './fields.ts';
import { backupName, refuseEmptyBackup } from './gate.ts';
import { complete, databaseName, parseInstallation } from './installation.ts';
import { parseProof } from './proof.ts';
import { parseS3 } from './s3.ts';
import { parseIdentities } from './sealing.ts';
import { parseSigning } from './signing.ts';
import { parseKey } from './ssh.ts';

export interface VerifyInputs {
  readonly command: 'verify';
  readonly s3: CatalogOptions;
  /** undefined: every one of the customer's. */
  readonly database: string | undefined;
  readonly which: Which;
  readonly proof: LookOptions;
  readonly signing: SigningOptions;
  /** What opens sealed backups. */
  readonly identities: Identities | undefined;
  /** Time limit of the whole run. */
  readonly timeoutMs: number;
  /** Warnings about inputs that are given and have no effect. */
  readonly warnings: readonly string[];
}

/** @returns undefined when something that must be there is not */
export function parseVerify(fields: Fields, env: Environment): VerifyInputs | undefined {
  const required = {
    s3: parseS3(fields, env),
    which: fields.required('backup', whichBackups),
    proof: parseLook(fields, env),
    timeoutMs: fields.required('timeout', durationMs),
  };
  refuseEmptyBackup(fields, env);
  const database = fields.optional('database', databaseName);
  const signing = parseSigning(fields, {
    key: parseKey(fields),
    agentSocket: env.SSH_AUTH_SOCK || undefined,
  });
  const identities = parseIdentities(fields);
  return complete(required)
    ? { command: 'verify', ...required, database, signing, identities, warnings: [] }
    : undefined;
}

function parseLook(fields: Fields, env: Environment): LookOptions | undefined {
  const proof = parseProof(fields, 'contents', () => parseInstallation(fields, env, undefined));
  if (proof?.level !== 'upload') return proof;
  return void fields.problem(
    'verify: every backup already has the level upload: choose contents, restore or boot',
  );
}

/** `latest`, `oldest`, `oldest 3`, or the name of one. */
function whichBackups(value: string): Which {
  if (value === 'latest') return { kind: 'latest' };
  const oldest = /^oldest(?:\s+(.*))?$/.exec(value);
  if (!oldest) return { kind: 'named', backup: backupName(value) };
  const [, count = '1'] = oldest;
  try {
    return { kind: 'oldest', count: integer(1, 1000)(count) };
  } catch {
    throw new Refusal(`'${value}' is not oldest with a number from 1 to 1000 behind it`);
  }
}
