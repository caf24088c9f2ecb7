import { rename, rm } from 'node:fs/promises';
import type { Growth } from '../../test/support/growth.ts';
import type { RawInputs } from '../../test/support/inputs.ts';
import { startOdooServer } from '../../test/support/odoo-server.ts';
import { type BenchPart, cleanUp, Runs, type Session } from './part.ts';
import { type Place, runProgram } from './running.ts';

/** Filestores of small files: what counts is how many they are. */
export const many: BenchPart = {
  sizes: {
    '70,000 files': crowdOf(70_000),
    '500,000 files': crowdOf(500_000),
    '2,000,000 files': crowdOf(2_000_000),
  },
  overLongLine: () => false,
  async measure(place, session) {
    const runs = new Runs(session);
    for (let round = 0; round < session.rounds; round += 1) {
      await runAll(place, session, runs);
      await cleanUp(place);
    }
    return runs;
  },
};

function crowdOf(count: number): Growth {
  return { attachments: [{ count, size: 200, kind: 'photo' }] };
}

/** Every command that looks at all of the files, once. */
async function runAll(place: Place, { program }: Session, runs: Runs): Promise<void> {
  const { sandbox, data } = place;
  const ours = async (name: string, command: string, inputs: RawInputs = {}) => {
    let log = '';
    await runs.take(name, async () => {
      const done = await runProgram(place, program, command, inputs);
      log = done.log;
      return done.cost;
    });
    return log;
  };
  await ours('first backup', 'backup', { format: 'dual' });
  const log = await ours('next backup', 'backup', { format: 'dual' });
  if (!/^ +S3 copies /m.test(log)) throw new Error(`S3 has copied nothing: ${log}`);
  await ours('verify: contents', 'verify', { verify: 'contents' });
  await using server = await startOdooServer(sandbox, data.odoo, data.httpPort);
  const undo = {
    'stop-command': server.stopCommand,
    'start-command': server.startCommand,
    'keep-previous': 'until-healthy',
  };
  await ours('rollback, dry run', 'rollback', { ...undo, 'dry-run': 'true' });
  await ours('rollback', 'rollback', undo);
  const { filestore } = data.odoo;
  await rename(filestore, `${filestore}.gone`);
  const fetching = await ours('rollback, every file fetched', 'rollback', undo);
  if (!/\b0 files linked/.test(fetching)) throw new Error(`The host had files: ${fetching}`);
  await rm(`${filestore}.gone`, { recursive: true });
  await ours('list', 'list');
}
