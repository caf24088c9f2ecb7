import assert from 'node:assert/strict';
import { cleanEnvironment, type Ended, runCommand } from './backup-run.ts';
import type { RawInputs } from './inputs.ts';
import type { S3Server } from './s3.ts';
import { useSandbox } from './sandbox.ts';

/** Only the newest backups stay. */
export const keepLast = (count: number): RawInputs => ({
  prune: 'true',
  'keep-last': String(count),
  'keep-daily': '0',
  'keep-weekly': '0',
  'keep-monthly': '0',
  'minimum-keep': '1',
});

/** Prunes the backups of prod. */
export function prune(bucket: string, inputs: RawInputs, at: S3Server = useSandbox().s3): Promise<Ended> {
  const where = { 's3-bucket': bucket, 's3-endpoint': at.endpoint, customer: 'acme', database: 'prod' };
  return runCommand('prune', { ...where, ...inputs }, cleanEnvironment(at));
}

/** Fails where the program does. */
export async function pruned(bucket: string, inputs: RawInputs, at?: S3Server): Promise<Ended> {
  const ended = await prune(bucket, inputs, at);
  assert.equal(ended.exitCode, 0, ended.log);
  return ended;
}
