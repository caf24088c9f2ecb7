import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Receipt } from '../../src/catalog/receipt.ts';
import { getObject, s3Client } from '../../test/support/s3.ts';
import { type Case, runProgram, runScript, scriptEnvironment } from './running.ts';

/** One backup, measured. Sizes in bytes. */
export interface Run {
  readonly seconds: number;
  /** Seconds a phase or step, in their order. */
  readonly steps: Readonly<Record<string, number>>;
  readonly archiveBytes: number;
  /** The most memory that the process held at once; ours only. */
  readonly peakBytes?: number;
}

/** Our program's backup. */
export async function ours(place: Case, program: string): Promise<Run> {
  const { sandbox, bucket } = place;
  const { outputs, seconds, peakBytes } = await runProgram(place, program, 'backup');
  const object = await getObject(s3Client(sandbox.s3), bucket, outputs.receipt ?? '');
  const receipt = JSON.parse(String(Buffer.from(object))) as Receipt;
  const startup = seconds - Object.values(receipt.durations).reduce((sum, each) => sum + each, 0);
  return {
    seconds,
    steps: { ...receipt.durations, 'start and end': startup },
    archiveBytes: receipt.size,
    peakBytes,
  };
}

/** What people write today, step by step: run by bash as it is printed. */
export const script = {
  pg_dump: 'ssh -F ssh_config odoo pg_dump -Fc $PG "$DATABASE" > "$DATABASE.dump"',
  tar: 'mkdir filestore; ssh -F ssh_config odoo tar -C "$FILESTORE" -cf - . | tar -C filestore -xf -',
  zip: 'zip -qr backup.zip "$DATABASE.dump" filestore',
  'aws s3 cp': 'aws s3 cp --only-show-errors --endpoint-url "$ENDPOINT" backup.zip "s3://$BUCKET/backup.zip"',
} as const;

export async function theirs(place: Case): Promise<Run> {
  const { sandbox, data, bucket } = place;
  const { postgres, s3 } = sandbox;
  const folder = join(sandbox.folder, 'baseline');
  await mkdir(folder);
  const env = {
    ...(await scriptEnvironment(place, folder)),
    PG: `-h ${postgres.socket} -p ${postgres.port} -U odoo`,
    DATABASE: data.odoo.database,
    FILESTORE: data.odoo.filestore,
    ENDPOINT: s3.endpoint,
    BUCKET: bucket,
  };
  try {
    const steps = await runScript(script, folder, env);
    const seconds = Object.values(steps).reduce((sum, each) => sum + each, 0);
    return { seconds, steps, archiveBytes: (await stat(join(folder, 'backup.zip'))).size };
  } finally {
    await rm(folder, { recursive: true });
  }
}
