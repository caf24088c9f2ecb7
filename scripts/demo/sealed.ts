import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../test/support/processes.ts';
import { getObject } from '../../test/support/s3.ts';
import { runProgram, whereInputs } from './program.ts';
import type { Stage } from './stage.ts';
import { quote, say } from './story.ts';

/** A backup that nobody can read who has no key, and how it is opened by hand. */
export async function backUpSealed(stage: Stage): Promise<void> {
  const { sandbox, s3, bucket } = stage;
  const key = join(sandbox.folder, 'team.key');
  await run(['age-keygen', '-o', key]);
  const recipient = (await run(['age-keygen', '-y', key])).trim();
  say(
    'With --encrypt-to, every file in the zip is sealed by age before it leaves. The job itself cannot read it:',
  );
  quote(`age-keygen -o team.key\nodoo-backup backup --encrypt-to ${recipient} … # and the flags as above`);
  say('\nIts log:\n');
  const inputs = { ...(await whereInputs(stage)), format: 'odoo', 'encrypt-to': recipient };
  const outputs = await runProgram(stage, 'backup', inputs);
  const archive = /^key=(.*)$/m.exec(outputs)?.[1] ?? '';
  const file = join(sandbox.folder, 'sealed.zip');
  await writeFile(file, await getObject(s3, bucket, archive));
  say(
    '\nWhoever has the key opens it, by rollback or fetch with --decrypt-with, and without this program as well:',
  );
  const script = 'unzip -p "$1" dump.sql.gz.age | age -d -i "$2" | gunzip | sed -n 2p';
  const opened = await run(['sh', '-c', script, 'sh', file, key]);
  quote(`$ unzip -p sealed.zip dump.sql.gz.age | age -d -i team.key | gunzip | sed -n 2p\n${opened}`);
}
