import assert from 'node:assert/strict';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Host } from '../../src/host/host.ts';
import {
  cleanEnvironment,
  type Ended,
  type Run,
  runCommand,
  startProgram,
  type Variables,
} from './backup-run.ts';
import type { RawInputs } from './inputs.ts';
import { login } from './login.ts';
import { createBucket, s3Client } from './s3.ts';
import { type Sandbox, useSandbox } from './sandbox.ts';
import type { BootedHost } from './systemd-host.ts';

/** What a scene is made of. */
export interface SceneParts<H extends BootedHost> {
  readonly sandbox: Sandbox;
  readonly host: H;
  readonly client: S3Client;
  readonly bucket: string;
  readonly resources: AsyncDisposableStack;
}

/** Boots the host of a scene, and makes its bucket. */
export async function openScene<H extends BootedHost>(
  boot: (sandbox: Sandbox) => Promise<H>,
): Promise<SceneParts<H>> {
  const sandbox = useSandbox();
  await using resources = new AsyncDisposableStack();
  const host = resources.use(await boot(sandbox));
  const client = resources.adopt(s3Client(sandbox.s3), (each) => each.destroy());
  const bucket = await createBucket(client);
  return { sandbox, host, client, bucket, resources: resources.move() };
}

/** A host that was booted for a test, and a bucket: all of one test's own. */
export class HostScene<H extends BootedHost> implements AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly host: H;
  readonly client: S3Client;
  readonly bucket: string;
  readonly #resources: AsyncDisposableStack;

  constructor({ sandbox, host, client, bucket, resources }: SceneParts<H>) {
    this.sandbox = sandbox;
    this.host = host;
    this.client = client;
    this.bucket = bucket;
    this.#resources = resources;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#resources.disposeAsync();
  }

  /** As few inputs as do it. */
  get inputs(): RawInputs {
    return {
      'ssh-host': this.host.host,
      'ssh-user': this.host.user,
      'ssh-key': this.sandbox.keys.plain,
      'ssh-known-hosts': this.host.knownHosts,
      's3-bucket': this.bucket,
      's3-endpoint': this.sandbox.s3.endpoint,
      customer: 'acme',
    };
  }

  start(command: string, inputs: RawInputs = {}): Run {
    return startProgram(...this.#asked(command, inputs));
  }

  #run(command: string, inputs: RawInputs): Promise<Ended> {
    return runCommand(...this.#asked(command, inputs));
  }

  #asked(command: string, inputs: RawInputs): [string, RawInputs, Variables] {
    // What rollbacks replace does not pile up.
    const kept: RawInputs = command === 'rollback' ? { 'keep-previous': 'until-healthy' } : {};
    return [command, { ...this.inputs, ...kept, ...inputs }, cleanEnvironment(this.sandbox.s3)];
  }

  /** Runs it to its end, which has to be a bad one, and say this. */
  async fails(command: string, inputs: RawInputs, ...words: readonly RegExp[]): Promise<Ended> {
    const ended = await this.#run(command, inputs);
    for (const pattern of words) assert.match(ended.log, pattern);
    assert.equal(ended.exitCode, 1, ended.log);
    return ended;
  }

  /** Runs it to its end, which has to be a good one. */
  async succeeds(command: string, inputs: RawInputs = {}): Promise<Ended> {
    const ended = await this.#run(command, inputs);
    assert.equal(ended.exitCode, 0, ended.log);
    return ended;
  }

  /** Logs in, for tests of single parts. */
  login(): Promise<Host> {
    return login(this.sandbox, this.host);
  }

  /**
   * Waits until the host's sessions of runs that have ended are over, with all that runs in them: what a run was still
   * removing is not what the host was. One that never ends shows in what is looked at next.
   */
  async untilQuiet(): Promise<void> {
    await this.shell(`timeout 120 sh -c '
      until [ -z "$(systemctl list-units --no-legend --plain "session-*.scope")" ]; do sleep 0.1; done' || :`);
  }

  /** Runs a shell script as root. */
  shell(script: string): Promise<string> {
    return this.host.exec(['sh', '-ec', script]);
  }
}
