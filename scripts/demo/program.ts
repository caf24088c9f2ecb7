import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { workADay } from './host.ts';
import type { Stage } from './stage.ts';
import { quote, say } from './story.ts';

const program = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

type Inputs = Readonly<Record<string, string>>;

export async function backUp(stage: Stage): Promise<void> {
  const inputs = await whereInputs(stage);
  say('In CI this is one step of a workflow. By hand, with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY set:');
  quote(['odoo-backup backup', ...flagsOf(inputs).map((flag) => `  ${flag}`)].join(' \\\n'));
  say('\nIts log:\n');
  const outputs = await runProgram(stage, 'backup', inputs);
  say(
    '\nOn GitHub that is a table, in the summary of the job. Later steps of a workflow read these outputs:',
  );
  quote(outputs.replace(/^(json=.{60}).*/m, '$1…'));
}

export async function backUpAgain(stage: Stage): Promise<void> {
  await workADay(stage.sandbox, stage.odoo);
  say('A day later there are 20 partners and 5 photos more. S3 itself copies what it has already:\n');
  await runProgram(stage, 'backup', await whereInputs(stage));
}

export async function planRollback(stage: Stage): Promise<void> {
  say('It looks at everything, changes nothing, and prints the plan that a rollback would carry out:');
  const inputs = { ...(await whereInputs(stage)), ...serviceInputs(stage), ...(await moreInputs()) };
  const more = ['--salvage', '--code-command "$(cat templates/code/git-checkouts.sh)"'];
  const flags = [...flagsOf(serviceInputs(stage)), ...more, '… # and the flags as above'];
  quote(['odoo-backup rollback --dry-run', ...flags].join(' \\\n  '));
  say('\nIts log:\n');
  await runProgram(stage, 'rollback', { ...inputs, 'dry-run': 'true' });
}

export async function rollBack(stage: Stage): Promise<void> {
  say('The same command without --dry-run carries the same plan out:\n');
  const inputs = { ...(await whereInputs(stage)), ...serviceInputs(stage), ...(await moreInputs()) };
  await runProgram(stage, 'rollback', inputs, { shown: withoutPlan });
}

/** The log without the plan, which has just been read. */
async function* withoutPlan(lines: AsyncIterable<string>): AsyncGenerator<string> {
  let inPlan = false;
  for await (const line of lines) {
    inPlan = line.startsWith('The plan: ') || (inPlan && line.startsWith('  '));
    if (line.startsWith('The plan: ')) yield 'The plan: as above';
    if (!inPlan) yield line;
  }
}

/** The host, the database and the bucket. */
export async function whereInputs({ sandbox, odoo, bucket }: Stage): Promise<Inputs> {
  const { ssh, keys, s3, folder } = sandbox;
  const knownHosts = join(folder, 'known_hosts');
  await writeFile(knownHosts, ssh.knownHosts);
  return {
    'ssh-host': `${ssh.user}@${ssh.host}`,
    'ssh-port': String(ssh.port),
    'ssh-key': keys.plain,
    'ssh-known-hosts': knownHosts,
    'odoo-conf': odoo.conf,
    's3-endpoint': s3.endpoint,
    's3-bucket': bucket,
    customer: 'acme',
  };
}

/** On a usual host it would be `--services odoo`: this one has no systemd. */
const serviceInputs = ({ server }: Stage): Inputs => ({
  'stop-command': server.stopCommand,
  'start-command': server.startCommand,
});

const switchCode = new URL('../../templates/code/git-checkouts.sh', import.meta.url);

/** What a rollback does besides: it brings the old code back, and stores what was entered since. */
const moreInputs = async (): Promise<Inputs> => ({
  salvage: 'true',
  'code-command': await readFile(switchCode, 'utf8'),
});

const flagsOf = (inputs: Inputs): string[] =>
  Object.entries(inputs).map(([name, value]) => `--${name} ${value}`);

interface Course {
  /** What of its log is shown. */
  readonly shown?: (lines: AsyncIterable<string>) => AsyncIterable<string>;
  /** Default: 0. */
  readonly exitCode?: number;
}

/**
 * Runs the program as a user does, in an environment of its own.
 *
 * @returns its outputs
 * @throws Error when it ends otherwise than it should
 */
export async function runProgram(
  { sandbox }: Stage,
  command: string,
  inputs: Inputs,
  { shown, exitCode = 0 }: Course = {},
): Promise<string> {
  // Nothing of a CI job that this demo may run in.
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    AWS_ACCESS_KEY_ID: sandbox.s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: sandbox.s3.secretAccessKey,
  };
  const flags = Object.entries(inputs).map(([name, value]) => `--${name}=${value}`);
  // Its log (standard error) goes where ours goes. Whatever becomes of us, the kernel ends it.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', process.execPath, program, command, ...flags], {
    env,
    stdio: ['ignore', 'pipe', shown ? 'pipe' : process.stdout],
  });
  const cancel = () => child.kill(); // it cleans up while the sandbox stops
  process.on('SIGINT', cancel).on('SIGTERM', cancel);
  const printing = shown && child.stderr ? print(shown(createInterface({ input: child.stderr }))) : undefined;
  const [outputs, [code]] = await Promise.all([
    text(child.stdout as Readable),
    once(child, 'close'),
    printing,
  ]);
  process.off('SIGINT', cancel).off('SIGTERM', cancel);
  if (code !== exitCode) throw new Error(`The ${command} ended with exit code ${code}`);
  return outputs;
}

async function print(lines: AsyncIterable<string>): Promise<void> {
  for await (const line of lines) process.stdout.write(`${line}\n`);
}
