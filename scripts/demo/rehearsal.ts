import { join } from 'node:path';
import { migration } from './deploy.ts';
import { runProgram, whereInputs } from './program.ts';
import type { Stage } from './stage.ts';
import { quote, say } from './story.ts';

/** A migration that does what it should. */
const corrected = "UPDATE res_partner SET ref = 'C' || id WHERE ref IS NULL";

/** What would have been known before the deploy: the migration on a copy of the backup, and Odoo started there. */
export async function rehearse(stage: Stage): Promise<void> {
  say(
    'All of that can be known before. rehearse runs the migration on a copy of the backup, and starts Odoo on it:',
  );
  quote(
    ['odoo-backup rehearse', '--rehearse-command ./migrate.sh', '… # and the flags as above'].join(' \\\n  '),
  );
  say('\nIts log:\n');
  await runProgram(stage, 'rehearse', await inputsOf(stage, migration), { exitCode: 1 });
  say(
    '\nThe copy is gone, and Odoo has not noticed. Once the migration is corrected, the job of the deploy may start:\n',
  );
  await runProgram(stage, 'rehearse', await inputsOf(stage, [corrected]), { shown: result });
}

const inputsOf = async (stage: Stage, statements: readonly string[]) => ({
  ...(await whereInputs(stage)),
  'rehearse-command': `psql -X -q -c ${quoted(statements.join('; '))}`,
  // On a usual host it would be found: this one has a stand-in for Odoo's program.
  'rehearse-start': `python3 ${quoted(join(stage.odoo.dataDir, 'odoo.py'))} "$ODOO_RC"`,
});

/** A word of the shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** The result alone, without the log before it. */
async function* result(lines: AsyncIterable<string>): AsyncGenerator<string> {
  let begun = false;
  for await (const line of lines) {
    begun ||= /^\p{Emoji_Presentation}/u.test(line);
    if (begun) yield line;
  }
}
