import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../test/support/processes.ts';
import { getObject, listKeys } from '../../test/support/s3.ts';
import type { Stage } from './stage.ts';
import { quote, say } from './story.ts';

/** Looks at what the rollback has kept of the work since the backup. */
export async function lookAtSalvaged({ s3, bucket, sandbox }: Stage): Promise<void> {
  const key = (await listKeys(s3, bucket)).find((each) => each.endsWith('_salvage.zip'));
  if (!key) throw new Error('Nothing was salvaged');
  const file = join(sandbox.folder, 'salvage.zip');
  await writeFile(file, await getObject(s3, bucket, key));
  say(
    'The invoices of that day are not in the database any more. --salvage has stored them as tables of CSV:',
  );
  quote(await run(['unzip', '-Z1', file]));
  const invoices = await run(['unzip', '-p', file, '*_account.move.csv']);
  say('\nOdoo’s own import takes each of them, once somebody has looked at it:');
  quote(
    invoices
      .split('\n')
      .map((line) => (line.length > 110 ? `${line.slice(0, 109)}…` : line))
      .join('\n'),
  );
}
