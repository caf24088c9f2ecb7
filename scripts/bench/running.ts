import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { variableOf } from '../../src/platform/variables.ts';
import type { RawInputs } from '../../test/support/inputs.ts';
import { peakOf } from '../../test/support/peak.ts';
import type { Sandbox } from '../../test/support/sandbox.ts';
import type { Data } from './data.ts';
import type { Link } from './link.ts';
import { type Accounts, busySeconds, measured, type Parties } from './parties.ts';
import type { Cost, Processor } from './record.ts';

/** What is backed up and put back, over which line, with which bucket. */
export interface Place {
  readonly sandbox: Sandbox;
  readonly data: Data;
  readonly link: Link;
  readonly bucket: string;
  /** Undefined where nobody may keep them. */
  readonly accounts?: Accounts | undefined;
  /** Variables that our program gets besides. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** A run of our program that ended well. */
export interface Done {
  readonly outputs: Readonly<Record<string, string>>;
  /** Standard error. */
  readonly log: string;
  readonly cost: Cost;
}

/** A script that ended well. */
export interface ScriptDone {
  /** Seconds that each step took. */
  readonly steps: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly parties: Parties | undefined;
}

/** Our program, a process of its own with nothing but its inputs. */
export async function runProgram(
  place: Place,
  program: string,
  command: string,
  inputs: RawInputs = {},
): Promise<Done> {
  const given = Object.entries({ ...(await inputsOf(place)), ...inputs });
  const variables = Object.fromEntries(given.map(([name, value]) => [variableOf(name), value]));
  const argv = ['--pdeathsig', 'KILL', process.execPath, '--import', PRELOAD, program, command];
  const { done, seconds, parties } = await measured(place.accounts, async () => {
    const busyBefore = busySeconds();
    const child = spawn('setpriv', argv, {
      env: { PATH: process.env.PATH, ...credentials(place.sandbox), ...variables, ...place.variables },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [stdout, log, peakBytes] = await Promise.all([
      text(child.stdout),
      succeeded(child, `Our ${command}`),
      peakOf(child),
    ]);
    return { stdout, log, peakBytes, machine: busySeconds() - busyBefore };
  });
  const { stdout, log, peakBytes, machine } = done;
  const processor: Processor = { ...JSON.parse(PROCESSOR.exec(log)?.[1] ?? '{}'), machine };
  const outputs = stdout.split('\n').map((line) => /^([^=]*)=(.*)$/.exec(line) ?? []);
  return {
    outputs: Object.fromEntries(outputs.map(([, name = '', value = '']) => [name, value])),
    log,
    cost: { seconds, peakBytes, processor, parties },
  };
}

const PRELOAD = fileURLToPath(new URL('preload.mjs', import.meta.url));
const PROCESSOR = /^ODOO-BACKUP-BENCH (.*)$/m;

async function inputsOf({ sandbox, data, link, bucket }: Place): Promise<RawInputs> {
  const { ssh, keys, s3 } = sandbox;
  return {
    'ssh-host': link.host,
    'ssh-port': String(link.port),
    'ssh-user': ssh.user,
    'ssh-key': await readFile(keys.plain, 'utf8'),
    'ssh-known-hosts': link.knownHosts,
    'odoo-conf': data.odoo.conf,
    's3-bucket': bucket,
    's3-endpoint': s3.endpoint,
    customer: 'bench',
  };
}

/** What a script needs to reach host and bucket; writes its ssh_config into the folder. */
export async function scriptEnvironment(
  { sandbox, link }: Place,
  folder: string,
): Promise<Readonly<Record<string, string | undefined>>> {
  await writeFile(join(folder, 'known_hosts'), link.knownHosts);
  const config = {
    HostName: link.host,
    Port: link.port,
    User: sandbox.ssh.user,
    IdentityFile: sandbox.keys.plain,
    UserKnownHostsFile: join(folder, 'known_hosts'),
    BatchMode: 'yes',
  };
  const lines = Object.entries(config).map(([name, value]) => `  ${name} ${value}\n`);
  await writeFile(join(folder, 'ssh_config'), `Host odoo\n${lines.join('')}`);
  return {
    ...process.env,
    ...credentials(sandbox),
    // botocore's checksum trailers are refused by many servers; ours goes without them as well.
    AWS_REQUEST_CHECKSUM_CALCULATION: 'when_required',
    AWS_RESPONSE_CHECKSUM_VALIDATION: 'when_required',
  };
}

/** Runs the steps of a script by bash, one after the other. */
export async function runScript(
  { accounts }: Pick<Place, 'accounts'>,
  script: Readonly<Record<string, string>>,
  folder: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ScriptDone> {
  const steps: Record<string, number> = {};
  const { seconds, parties } = await measured(accounts, async () => {
    for (const [step, command] of Object.entries(script)) {
      const started = performance.now();
      const argv = ['--pdeathsig', 'KILL', 'bash', '-euo', 'pipefail', '-c', command];
      const child = spawn('setpriv', argv, { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] });
      await succeeded(child, command);
      steps[step] = (performance.now() - started) / 1000;
    }
  });
  return { steps, seconds, parties };
}

function credentials({ s3 }: Sandbox): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
    AWS_REGION: s3.region,
    AWS_DEFAULT_REGION: s3.region,
  };
}

/** @returns what it printed on standard error @throws Error with that when it fails */
async function succeeded(child: ChildProcess, what: string): Promise<string> {
  const [log, [code, signal]] = await Promise.all([
    child.stderr ? text(child.stderr) : '',
    once(child, 'close'),
  ]);
  if (code !== 0) throw new Error(`${what} ended with ${code ?? signal}: ${log.slice(-4000)}`);
  return log;
}
