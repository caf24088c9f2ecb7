import { sizes } from './data.ts';
import { type BenchPart, cleanUp, Runs } from './part.ts';
import { runProgram } from './running.ts';

/** The levels that take a look of their own. */
const levels = ['contents', 'restore'] as const;

/** What each level of proof takes, beside the backup itself, which is proven to `upload`. */
export const verify: BenchPart = {
  sizes,
  overLongLine: () => false, // the line to the host has no part in it
  async measure(place, session) {
    const runs = new Runs(session);
    const { program } = session;
    for (let round = 0; round < session.rounds; round += 1) {
      let key = '';
      await runs.take('backup', async () => {
        const { outputs, cost } = await runProgram(place, program, 'backup');
        key = outputs.key ?? '';
        return { ...cost, archiveBytes: Number(outputs.size) };
      });
      for (const level of levels) {
        await runs.take(level, async () => {
          const { cost } = await runProgram(place, program, 'verify', { backup: key, verify: level });
          return cost;
        });
      }
      await cleanUp(place);
    }
    return runs;
  },
};
