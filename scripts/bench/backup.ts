import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Receipt } from '../../src/catalog/receipt.ts';
import { getObject, s3Client } from '../../test/support/s3.ts';
import { sizes } from './data.ts';
import { type BenchPart, type Contender, cleanUp, inTurn, Runs } from './part.ts';
import { roundTripsOf, TELL_QUESTIONS } from './questions.ts';
import type { Measure } from './record.ts';
import { type Place, runProgram, runScript, scriptEnvironment } from './running.ts';
import { backupScript, lineScript, SSH_ALONE } from './scripts.ts';

/** A first backup, by us and by the script that people write today. */
export const backup: BenchPart = {
  sizes,
  overLongLine: () => true,
  async measure(place, session) {
    const runs = new Runs(session);
    const contenders = { ours: () => ours(place, session.program), script: () => theirs(place) };
    for (let round = 0; round < session.rounds; round += 1) {
      for (const [name, contender] of inTurn(contenders, round)) {
        await runs.take(name, () => counted(place, contender));
        await cleanUp(place);
      }
      const bytes = runs.runs.ours?.at(-1)?.receivedBytes;
      if (bytes !== undefined) await runs.take(SSH_ALONE, () => sshAlone(place, bytes));
    }
    return runs;
  },
};

/** The same, and what has come over the line meanwhile. */
export async function counted({ link }: Place, contender: Contender): Promise<Measure> {
  const before = await link.received();
  const measure = await contender();
  const after = await link.received();
  return before === undefined || after === undefined
    ? measure
    : { ...measure, receivedBytes: after - before };
}

/** Our program's backup. */
async function ours(place: Place, program: string): Promise<Measure> {
  const { sandbox, bucket } = place;
  const done = await runProgram({ ...place, variables: TELL_QUESTIONS }, program, 'backup');
  const { outputs, log, cost } = done;
  const object = await getObject(s3Client(sandbox.s3), bucket, outputs.receipt ?? '');
  const receipt = JSON.parse(String(Buffer.from(object))) as Receipt;
  const startup = cost.seconds - Object.values(receipt.durations).reduce((sum, each) => sum + each, 0);
  const steps = { ...receipt.durations, 'start and end': startup };
  return { ...cost, steps, archiveBytes: receipt.size, roundTrips: roundTripsOf(log) };
}

async function sshAlone(place: Place, bytes: number): Promise<Measure> {
  const folder = join(place.sandbox.folder, 'line');
  await mkdir(folder);
  try {
    const env = { ...(await scriptEnvironment(place, folder)), BYTES: String(bytes) };
    return await runScript(place, lineScript, folder, env);
  } finally {
    await rm(folder, { recursive: true });
  }
}

export async function theirs(place: Place): Promise<Measure & { readonly archiveBytes: number }> {
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
    const done = await runScript(place, backupScript, folder, env);
    return { ...done, archiveBytes: (await stat(join(folder, 'backup.zip'))).size };
  } finally {
    await rm(folder, { recursive: true });
  }
}
