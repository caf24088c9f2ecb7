import type { CatalogOptions } from '../catalog/keys.ts';
import type { Remark } from '../catalog/proofs.ts';
import type { SigningOptions } from '../catalog/signing-key.ts';
import type { Environment } from '../platform/platform.ts';
import { isPrintable } from '../util/controls.ts';
import { boolean, durationMs, type Fields, Refusal } from './fields.ts';
import { backupName, refuseEmptyBackup } from './gate.ts';
import { complete, databaseName } from './installation.ts';
import { parseS3 } from './s3.ts';
import { parseSigning } from './signing.ts';
import { parseKey } from './ssh.ts';

export interface MarkInputs {
  readonly command: 'mark';
  readonly s3: CatalogOptions;
  readonly database: string;
  /** `latest`, a key, an URI or a time. */
  readonly backup: string;
  readonly remarks: readonly Remark[];
  readonly signing: SigningOptions;
  /** Time limit of the whole run. */
  readonly timeoutMs: number;
  /** Warnings about inputs that are given and have no effect. */
  readonly warnings: readonly string[];
}

/** @returns undefined when something that must be there is not */
export function parseMark(fields: Fields, env: Environment): MarkInputs | undefined {
  const required = {
    s3: parseS3(fields, env),
    database: fields.required('database', databaseName, 'is required: the one that the backup is of'),
    backup: fields.required('backup', backupName),
    timeoutMs: fields.required('timeout', durationMs),
  };
  refuseEmptyBackup(fields, env);
  const pin = parsePin(fields);
  const unpin = fields.optional('unpin', boolean) ?? false;
  const accept = fields.optional('accept-shrink', reason);
  if (pin !== undefined && unpin) fields.problem('unpin and pin exclude each other: give one of them');
  const remarks: Remark[] = [
    ...(pin === undefined ? [] : [{ kind: 'pin' as const, reason: pin }]),
    ...(unpin ? [{ kind: 'unpin' as const, reason: '' }] : []),
    ...(accept === undefined ? [] : [{ kind: 'accept-shrink' as const, reason: accept }]),
  ];
  if (
    remarks.length === 0 &&
    !(['pin', 'unpin', 'accept-shrink'] as const).some((name) => fields.given(name))
  ) {
    fields.problem('pin: one of pin, unpin and accept-shrink is required: what is to be said of the backup');
  }
  const signing = parseSigning(fields, {
    key: parseKey(fields),
    agentSocket: env.SSH_AUTH_SOCK || undefined,
  });
  return complete(required) ? { command: 'mark', ...required, remarks, signing, warnings: [] } : undefined;
}

/** Why no rule is to delete a backup. */
export const parsePin = (fields: Fields): string | undefined => fields.optional('pin', reason);

/** A sentence that a receipt holds and lists show. */
function reason(value: string): string {
  if (value.length <= 200 && isPrintable(value)) return value;
  throw new Refusal('is more than one line, or than 200 characters');
}
