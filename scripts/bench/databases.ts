import type { Growth } from '../../test/support/growth.ts';
import type { RawInputs } from '../../test/support/inputs.ts';
import { startOdooServer } from '../../test/support/odoo-server.ts';
import { run } from '../../test/support/processes.ts';
import { type BenchPart, cleanUp, Runs } from './part.ts';
import { type Place, runProgram, runScript, scriptEnvironment } from './running.ts';
import { dumpScript } from './scripts.ts';

/** Databases of several sizes with hardly any files: what a GiB of database takes. */
export const databases: BenchPart = {
  sizes: {
    '0.4 GB database': databaseOf(250_000),
    '1.1 GB database': databaseOf(850_000),
    '4 GB database': databaseOf(3_100_000),
  },
  overLongLine: () => false,
  async measure(place, session) {
    const { sandbox, data } = place;
    const runs = new Runs(session);
    const ours = (name: string, command: string, inputs: RawInputs) =>
      runs.take(name, async () => {
        const done = await runProgram(place, session.program, command, inputs);
        return { seconds: done.seconds, peakBytes: done.peakBytes, processor: done.processor };
      });
    for (let round = 0; round < session.rounds; round += 1) {
      await using server = await startOdooServer(sandbox, data.odoo, data.httpPort);
      await runs.take('pg_dump | zstd -1 alone', () => dumpAlone(place));
      await ours('backup, dual', 'backup', { format: 'dual' });
      await ours('backup, custom', 'backup', { format: 'custom' });
      await ours('rollback', 'rollback', {
        'stop-command': server.stopCommand,
        'start-command': server.startCommand,
        'keep-previous': 'until-healthy',
      });
      await cleanUp(place);
    }
    return runs;
  },
};

function databaseOf(partners: number): Growth {
  return { partners };
}

async function dumpAlone(place: Place): Promise<{ readonly seconds: number }> {
  const { sandbox, data } = place;
  const { postgres, folder } = sandbox;
  const env = {
    ...(await scriptEnvironment(place, folder)),
    PG: `-h ${postgres.socket} -p ${postgres.port} -U odoo`,
    DATABASE: data.odoo.database,
  };
  const steps = await runScript(dumpScript, folder, env);
  await run(['sync']);
  return { seconds: Object.values(steps).reduce((sum, each) => sum + each, 0) };
}
