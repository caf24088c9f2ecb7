import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type OdooServer, odooLog, startOdooServer } from '../../test/support/odoo-server.ts';
import { psql } from '../../test/support/postgres.ts';
import { run } from '../../test/support/processes.ts';
import { sizes } from './data.ts';
import { type BenchPart, cleanUp, inTurn, Runs } from './part.ts';
import { roundTripsOf, TELL_QUESTIONS } from './questions.ts';
import type { Measure } from './record.ts';
import { type Place, runProgram, runScript, scriptEnvironment } from './running.ts';
import { rollbackScript } from './scripts.ts';

/** A rollback after a small damage, by us and in the plain way. */
export const rollback: BenchPart = {
  sizes,
  overLongLine: () => true,
  async measure(place, session) {
    const runs = new Runs(session);
    const prepared = await prepareRollback(place, session.program);
    const contenders = { ours: () => ours(prepared, session.program), 'plain way': () => theirs(prepared) };
    try {
      const serviceSeconds = await serviceSecondsOf(prepared);
      for (let round = 0; round < session.rounds; round += 1) {
        for (const [name, contender] of inTurn(contenders, round)) {
          await damage(prepared);
          await run(['sync']);
          await runs.take(name, contender);
          await assertRestored(prepared);
        }
      }
      return { serviceSeconds, runs: runs.runs };
    } finally {
      await prepared.server[Symbol.asyncDispose]();
      await cleanUp(place);
    }
  },
};

/** A backed-up Odoo that runs, and whatever puts it back. */
export interface RollbackPlace extends Place {
  readonly server: OdooServer;
  /** Key of the archive. */
  readonly key: string;
}

/** Rows that the damage changes, and files that it removes. */
const damaged = { rows: 1000, files: 20 };

/** Starts Odoo's stand-in and makes the backup that both put back. */
export async function prepareRollback(place: Place, program: string): Promise<RollbackPlace> {
  const { sandbox, data } = place;
  const server = await startOdooServer(sandbox, data.odoo, data.httpPort);
  const { outputs } = await runProgram(place, program, 'backup');
  return { ...place, server, key: outputs.key ?? '' };
}

/** What a deploy gone wrong does to a few rows and files. */
async function damage({ sandbox, data }: RollbackPlace): Promise<void> {
  const { postgres } = sandbox;
  const { database, filestore } = data.odoo;
  await psql(
    postgres,
    database,
    `UPDATE res_partner SET comment = 'broken' WHERE id IN (SELECT id FROM res_partner LIMIT ${damaged.rows})`,
  );
  const names = (await readdir(filestore, { recursive: true })).filter((name) => /^..\/\w{40}$/.test(name));
  await run(['rm', '--', ...names.slice(0, damaged.files).map((name) => join(filestore, name))]);
}

/** Seconds that the service itself takes to stop and to start, which nobody can do without. */
async function serviceSecondsOf({ server }: RollbackPlace): Promise<number> {
  const started = performance.now();
  await server.stop();
  await server.start();
  return (performance.now() - started) / 1000;
}

export async function ours(place: RollbackPlace, program: string): Promise<Measure> {
  const { stopCommand, startCommand } = place.server;
  const inputs = { 'stop-command': stopCommand, 'start-command': startCommand };
  const done = await runProgram({ ...place, variables: TELL_QUESTIONS }, program, 'rollback', inputs);
  const { outputs, log, cost } = done;
  const { durations } = JSON.parse(outputs.json ?? '') as { readonly durations: Record<string, number> };
  return {
    ...cost,
    downtime: Number(outputs.downtime),
    steps: durations,
    roundTrips: roundTripsOf(log),
  };
}

async function theirs(place: RollbackPlace): Promise<Measure> {
  const { sandbox, data, bucket, key, server } = place;
  const { postgres, s3 } = sandbox;
  const folder = join(sandbox.folder, 'baseline');
  const work = join(data.odoo.dataDir, 'restore');
  await mkdir(folder);
  const env = {
    ...(await scriptEnvironment(place, folder)),
    PG: `-h ${postgres.socket} -p ${postgres.port} -U admin`, // --force takes a superuser where autovacuum is at work
    DATABASE: data.odoo.database,
    FILESTORE: data.odoo.filestore,
    WORK: work,
    ENDPOINT: s3.endpoint,
    BUCKET: bucket,
    KEY: key,
    STOP: server.stopCommand,
    START: server.startCommand,
  };
  try {
    const done = await runScript(place, rollbackScript, folder, env);
    const downtime = Object.values(done.steps)
      .slice(2)
      .reduce((total, each) => total + each, 0);
    return { ...done, downtime };
  } finally {
    await Promise.all([folder, work].map((path) => rm(path, { recursive: true, force: true })));
  }
}

/**
 * Whether Odoo has everything back. By its log: what was started over the slow line is reached from there alone.
 *
 * @throws Error when it has not
 */
async function assertRestored({ sandbox, data }: RollbackPlace): Promise<void> {
  const broken = await psql(
    sandbox.postgres,
    data.odoo.database,
    "SELECT count(*) FROM res_partner WHERE comment = 'broken'",
  );
  const log = await odooLog(data.odoo);
  if (broken !== '0' || !/^HTTP service running/m.test(log))
    throw new Error(`Not restored: ${broken} broken rows, and Odoo says: ${log}`);
}
