import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Stage } from './stage.ts';
import { quote, say } from './story.ts';

const program = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** Runs the program as a user does, in an environment of its own. @throws Error when it fails */
export async function backUp({ sandbox, odoo, bucket }: Stage): Promise<void> {
  const { ssh, keys, s3, folder } = sandbox;
  const knownHosts = join(folder, 'known_hosts');
  await writeFile(knownHosts, ssh.knownHosts);
  const inputs = {
    'ssh-host': `${ssh.user}@${ssh.host}`,
    'ssh-port': String(ssh.port),
    'ssh-key': keys.plain,
    'ssh-known-hosts': knownHosts,
    'odoo-conf': odoo.conf,
    's3-endpoint': s3.endpoint,
    's3-bucket': bucket,
    customer: 'acme',
  };
  const flags = Object.entries(inputs).flatMap(([name, value]) => [`--${name}`, value]);
  say('In CI this is one step of a workflow. By hand, with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY set:');
  quote(
    ['odoo-backup backup', ...Object.entries(inputs).map(([name, value]) => `  --${name} ${value}`)].join(
      ' \\\n',
    ),
  );
  say('\nIts log:\n');

  // Nothing of a CI job that this demo may run in.
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    AWS_ACCESS_KEY_ID: s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
  };
  // Its log (standard error) goes where ours goes. Whatever becomes of us, the kernel ends it.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', process.execPath, program, 'backup', ...flags], {
    env,
    stdio: ['ignore', 'pipe', process.stdout],
  });
  const cancel = () => child.kill(); // it cleans up while the sandbox stops
  process.on('SIGINT', cancel).on('SIGTERM', cancel);
  const [outputs, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  process.off('SIGINT', cancel).off('SIGTERM', cancel);
  if (code !== 0) throw new Error(`The backup ended with exit code ${code}`);

  say(
    '\nOn GitHub that is a table, in the summary of the job. Later steps of a workflow read these outputs:',
  );
  quote(outputs.replace(/^(json=.{60}).*/m, '$1…'));
}
