import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteObjectCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { parseReceipt, type Receipt } from '../../src/catalog/receipt.ts';
import { inputNamed } from '../../src/inputs/table.ts';
import { variableOf } from '../../src/platform/variables.ts';
import { compileCache } from './compile-cache.ts';
import type { RawInputs } from './inputs.ts';
import { assertNothingRuns, assertNothingStored } from './leftovers.ts';
import { createOdoo, type Odoo, type OdooOptions } from './odoo.ts';
import { runProgram } from './program.ts';
import { program } from './program-folder.ts';
import type { Asked } from './program-worker.ts';
import { createBucket, getObject, listKeys, listUploads, type S3Server, s3Client } from './s3.ts';
import { type Sandbox, useSandbox } from './sandbox.ts';
import { type SshServer, startOwnSshd } from './sshd.ts';

export type Variables = Readonly<Record<string, string>>;

/** The program itself, in an environment of its own. */
export class Run {
  readonly child: ChildProcess;
  /** Standard error: what a person reads. */
  log = '';
  readonly ended: Promise<Ended>;

  /**
   * @param launcher goes before the program: `['timeout', '5']`
   * @param main another program of the project
   */
  constructor(args: readonly string[], env: Variables, launcher: readonly string[] = [], main = program) {
    const path = resolve(import.meta.dirname, '../..', main);
    const [first = '', ...rest] = [...launcher, process.execPath, path, ...args];
    this.child = spawn(first, rest, {
      env: { NODE_COMPILE_CACHE: compileCache, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    this.child.stdout?.on('data', (chunk) => {
      stdout += chunk;
    });
    this.child.stderr?.on('data', (chunk) => {
      this.log += chunk;
    });
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (exitCode) => resolve({ exitCode, log: this.log, stdout }));
    });
  }

  /** Waits until the log says so. @throws Error when the run ends before */
  async says(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.log)) {
      if (this.child.exitCode !== null) throw new Error(`The run never said ${pattern}:\n${this.log}`);
      await sleep(5);
    }
  }
}

export interface Ended {
  readonly exitCode: number | null;
  readonly log: string;
  readonly stdout: string;
}

/** A command as the command line has it: flags, and variables for what flags refuse. A list is asked for as JSON. */
function commandLine(command: string, inputs: RawInputs, env: Variables): Asked {
  const given = Object.entries(inputs).filter(([, value]) => value !== '');
  const isSecret = (name: string) => inputNamed(name)?.secret && name !== 'ssh-key';
  const flags = given.filter(([name]) => !isSecret(name)).map(([name, value]) => `--${name}=${value}`);
  const secrets = given.filter(([name]) => isSecret(name)).map(([name, value]) => [variableOf(name), value]);
  const json = command === 'list' ? ['--json'] : [];
  return { args: [command, ...json, ...flags], env: { ...env, ...Object.fromEntries(secrets) } };
}

/** Starts a command in a process of its own. */
export function startProgram(
  command: string,
  inputs: RawInputs,
  env: Variables,
  launcher: readonly string[] = [],
): Run {
  const asked = commandLine(command, inputs, env);
  return new Run(asked.args, asked.env, launcher);
}

/** When the last backup of a bucket ended, in seconds. */
const lastBackups = new Map<string, number>();
const thisSecond = (): number => Math.floor(Date.now() / 1000);

/**
 * Runs a command to its end, without a process of its own. A backup begins in a second in which no other of its bucket
 * has ended: two of one second would have one key, and the second of them is refused.
 */
export async function runCommand(command: string, inputs: RawInputs, env: Variables): Promise<Ended> {
  if (command !== 'backup') return runProgram(commandLine(command, inputs, env));
  const bucket = inputs['s3-bucket'] ?? '';
  while (thisSecond() <= (lastBackups.get(bucket) ?? 0)) await sleep(50);
  return runProgram(commandLine(command, inputs, env)).finally(() => {
    lastBackups.set(bucket, thisSecond());
  });
}

export function startBackup(inputs: RawInputs, env: Variables, launcher: readonly string[] = []): Run {
  return startProgram('backup', inputs, env, launcher);
}

/** An environment with nothing of the machine's in it but the way to its programs, and the keys to the S3 server. */
export function cleanEnvironment({ accessKeyId, secretAccessKey }: S3Server): Variables {
  return {
    PATH: process.env.PATH ?? '',
    HOME: '/nonexistent',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

/** A backup that was made. */
export interface Made extends Ended {
  /** The lines `name=value` on standard output. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly receipt: Receipt;
  readonly head: HeadObjectCommandOutput;
  readonly object: Uint8Array;
  /** The object as a file. */
  readonly path: string;
}

/** One Odoo, an sshd that leads to it, and a bucket: all of one test's own. */
export class Scene implements AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly odoo: Odoo;
  readonly ssh: SshServer;
  readonly client: S3Client;
  readonly bucket: string;
  /** For files of the test. */
  readonly folder: string;
  readonly #resources: AsyncDisposableStack;

  private constructor(
    fields: Pick<Scene, 'sandbox' | 'odoo' | 'ssh' | 'client' | 'bucket' | 'folder'>,
    resources: AsyncDisposableStack,
  ) {
    ({ sandbox: this.sandbox, odoo: this.odoo, ssh: this.ssh } = fields);
    ({ client: this.client, bucket: this.bucket, folder: this.folder } = fields);
    this.#resources = resources;
  }

  /** @param sshEnv of everything that runs on the host */
  static async open(options: OdooOptions = {}, sshEnv: Variables = {}): Promise<Scene> {
    const sandbox = useSandbox();
    await using resources = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'backup-run-'));
    resources.defer(() => rm(folder, { recursive: true }));
    const odoo = resources.use(await createOdoo(sandbox, options));
    const ssh = resources.use(await startOwnSshd(sandbox, sshEnv));
    const client = resources.adopt(s3Client(sandbox.s3), (each) => each.destroy());
    const bucket = await createBucket(client);
    return new Scene({ sandbox, odoo, ssh, client, bucket, folder }, resources.move());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#resources.disposeAsync();
  }

  /** As few inputs as do it. */
  get inputs(): RawInputs {
    return {
      'ssh-host': this.ssh.host,
      'ssh-port': String(this.ssh.port),
      'ssh-user': this.ssh.user,
      'ssh-key': this.sandbox.keys.plain,
      'ssh-fingerprint': this.ssh.hostKeys.fingerprints.join(' '),
      'odoo-conf': this.odoo.conf,
      's3-bucket': this.bucket,
      's3-endpoint': this.sandbox.s3.endpoint,
      customer: 'acme',
    };
  }

  start(inputs: RawInputs = {}, env: Variables = {}, launcher: readonly string[] = []): Run {
    return startBackup(
      { ...this.inputs, ...inputs },
      { ...cleanEnvironment(this.sandbox.s3), ...env },
      launcher,
    );
  }

  /** Runs a backup to its end, whatever that is. */
  run(inputs: RawInputs = {}, env: Variables = {}): Promise<Ended> {
    return runCommand(
      'backup',
      { ...this.inputs, ...inputs },
      { ...cleanEnvironment(this.sandbox.s3), ...env },
    );
  }

  /** Makes a backup. Fails when the program does, or leaves something on the host. */
  async backup(inputs: RawInputs = {}, env: Variables = {}): Promise<Made> {
    return this.made(await this.run(inputs, env));
  }

  /** What a run that ended well has made, taken out of the bucket. */
  async made(ended: Ended): Promise<Made> {
    assert.equal(ended.exitCode, 0, ended.log);
    const outputs = outputsOf(ended);
    const taken = await takeBackup(this.client, this.bucket, outputs);
    // In a folder of its own: the keys of two backups of one second are the same.
    const path = join(await mkdtemp(join(this.folder, 'backup-')), basename(taken.receipt.key));
    await writeFile(path, taken.object);
    await assertNothingRuns(this.ssh, this.sandbox.postgres, this.odoo.database);
    return { ...ended, ...taken, outputs, path };
  }

  /** A backup that fails as it should: this exit code, these words in the log, and nothing left anywhere. */
  async fails(
    run: Run | Promise<Ended> | RawInputs,
    exitCode: number,
    ...words: readonly RegExp[]
  ): Promise<Ended> {
    const ended = await (run instanceof Run ? run.ended : run instanceof Promise ? run : this.run(run));
    for (const pattern of words) assert.match(ended.log, pattern);
    assert.equal(ended.exitCode, exitCode, ended.log);
    assert.doesNotMatch(ended.log, /\n\s+at .*\.(?:ts|mjs):/, 'a stack trace is no message for a person');
    assert.equal(ended.stdout, '', 'a failed run has no outputs');
    await assertNothingStored(this.client, this.bucket);
    await assertNothingRuns(this.ssh, this.sandbox.postgres, this.odoo.database);
    return ended;
  }
}

/** What a program's standard output says: lines `name=value`. */
export function outputsOf({ stdout }: Ended): Readonly<Record<string, string>> {
  return Object.fromEntries(stdout.trim().split('\n').map(outputOf));
}

/** What a program's standard output says after `--json`. */
export const jsonOf = ({ stdout }: Pick<Ended, 'stdout'>) => JSON.parse(stdout);

function outputOf(line: string): [string, string] {
  const at = line.indexOf('=');
  return [line.slice(0, at), line.slice(at + 1)];
}

/** Takes out of the bucket what the outputs name. Nothing else may lie in there. */
export async function takeBackup(
  client: S3Client,
  bucket: string,
  { key = '', receipt = '' }: Readonly<Record<string, string>>,
): Promise<Pick<Made, 'receipt' | 'head' | 'object'>> {
  assert.deepEqual(await listKeys(client, bucket), [key, receipt].sort());
  assert.deepEqual(await listUploads(client, bucket), []);
  const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
  const [object, json] = await Promise.all([key, receipt].map((each) => getObject(client, bucket, each)));
  assert.ok(object && json);
  for (const Key of [key, receipt]) await client.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
  return { object, head, receipt: parseReceipt(JSON.parse(Buffer.from(json).toString()), receipt) };
}
