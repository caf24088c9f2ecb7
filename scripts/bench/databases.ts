import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Growth } from '../../test/support/growth.ts';
import type { RawInputs } from '../../test/support/inputs.ts';
import { startOdooServer } from '../../test/support/odoo-server.ts';
import { createDatabase, dropDatabase } from '../../test/support/postgres.ts';
import { run } from '../../test/support/processes.ts';
import { type BenchPart, cleanUp, Runs } from './part.ts';
import type { Measure } from './record.ts';
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
    await using second = await copyOf(place);
    const ours = (name: string, command: string, inputs: RawInputs) =>
      runs.take(name, async () => {
        const { cost } = await runProgram(place, session.program, command, inputs);
        return cost;
      });
    for (let round = 0; round < session.rounds; round += 1) {
      await using server = await startOdooServer(sandbox, data.odoo, data.httpPort);
      await runs.take('pg_dump | zstd -1 alone', () => dumpAlone(place));
      await ours('backup, dual', 'backup', { format: 'dual' });
      await ours('backup, custom', 'backup', { format: 'custom' });
      const database = `${data.odoo.database}, ${second.database}`;
      await ours(TWO_AT_ONCE, 'backup', { format: 'dual', database });
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

/** What of two databases of one host is measured: chiefly the memory. */
const TWO_AT_ONCE = 'backup, dual, two databases at once';

/** A second Odoo database on the same host, of the same data. Removed when it is disposed of. */
async function copyOf({ sandbox, data }: Place): Promise<AsyncDisposable & { readonly database: string }> {
  const { postgres } = sandbox;
  const database = `${data.odoo.database}_two`;
  const filestore = join(dirname(data.odoo.filestore), database);
  await createDatabase(postgres, database, data.odoo.database);
  await run(['cp', '-a', data.odoo.filestore, filestore]);
  return {
    database,
    async [Symbol.asyncDispose]() {
      await dropDatabase(postgres, database);
      await rm(filestore, { recursive: true });
    },
  };
}

function databaseOf(partners: number): Growth {
  return { partners };
}

async function dumpAlone(place: Place): Promise<Measure> {
  const { sandbox, data } = place;
  const { postgres, folder } = sandbox;
  const env = {
    ...(await scriptEnvironment(place, folder)),
    PG: `-h ${postgres.socket} -p ${postgres.port} -U odoo`,
    DATABASE: data.odoo.database,
  };
  const { seconds, parties } = await runScript(place, dumpScript, folder, env);
  await run(['sync']);
  return { seconds, parties };
}
