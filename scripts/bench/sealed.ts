import { execFileSync } from 'node:child_process';
import { sizes } from './data.ts';
import { type BenchPart, cleanUp, inTurn, Runs } from './part.ts';
import { runProgram } from './running.ts';

/** A first backup, and the same sealed for two recipients: what sealing takes. */
export const sealed: BenchPart = {
  sizes,
  overLongLine: () => false, // no byte more comes over the line
  async measure(place, session) {
    const runs = new Runs(session);
    const recipients = `${newRecipient()} ${newRecipient()}`;
    const contenders = { plain: {}, sealed: { 'encrypt-to': recipients } };
    for (let round = 0; round < session.rounds; round += 1) {
      for (const [name, inputs] of inTurn(contenders, round)) {
        await runs.take(name, async () => {
          const done = await runProgram(place, session.program, 'backup', inputs);
          return { ...done.cost, archiveBytes: Number(done.outputs.size) };
        });
        await cleanUp(place);
      }
    }
    return runs;
  },
};

const newRecipient = (): string =>
  execFileSync('sh', ['-c', 'age-keygen 2>/dev/null | age-keygen -y'], { encoding: 'utf8' }).trim();
