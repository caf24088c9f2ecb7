import { readFileSync } from 'node:fs';
import { chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCeph } from './ceph.ts';
import { clusterImage } from './cluster-image.ts';
import { memoryFolder } from './memory-folder.ts';
import { unpackFilestore } from './odoo.ts';
import { type PostgresServer, startPostgres } from './postgres.ts';
import { type Account, endRuns, Servers, serverAccount } from './processes.ts';
import { givenS3Server, type S3Server } from './s3.ts';
import { type ClientKeys, createClientKeys, createHostKeys, type SshServer, startSshd } from './sshd.ts';

/** An Odoo host and an S3 server on this machine: plain data, handed to the test files as JSON. */
export interface Sandbox {
  /** Everything but what S3 holds lies in here; it is removed at the end. */
  readonly folder: string;
  /** Who runs the host's servers, and who logs in over SSH. */
  readonly account: Account;
  readonly ssh: SshServer;
  /** A second sshd, with other host keys, on the way to the first. */
  readonly jump: SshServer;
  readonly keys: ClientKeys;
  readonly postgres: PostgresServer;
  readonly s3: S3Server;
}

/** A sandbox that is stopped and removed when it is disposed of. */
export interface RunningSandbox extends Sandbox, AsyncDisposable {
  /** Path of the description, for the environment variable SANDBOX. */
  readonly description: string;
}

export interface SandboxOptions {
  /** Lines of ceph.conf for the S3 gateway. */
  readonly gateway?: string;
  /** Lines of postgresql.conf. */
  readonly postgres?: string;
  /** One that runs already, or none. Default: it gets one of its own. */
  readonly s3?: S3Server | 'none';
}

/**
 * Starts every server. On SIGINT and SIGTERM they are stopped and this process ends; should it be killed, the
 * kernel stops them (only the folder then stays).
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<RunningSandbox> {
  const account = await serverAccount();
  const folder = await memoryFolder('odoo-backup');
  const disk = await mkdtemp(join(tmpdir(), 'odoo-backup-ceph-'));
  const servers = new Servers(folder);
  let starting: Promise<unknown> = Promise.resolve();
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= (async () => {
      await servers[Symbol.asyncDispose]();
      await starting.catch(() => {}); // it fails without its servers
      for (const each of [folder, disk]) await rm(each, { recursive: true, force: true });
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    })();
    return stopped;
  };
  // Ctrl-C often comes twice: from the terminal, and from npm, which hands it on.
  const onSignal = (_: NodeJS.Signals, number: number) => {
    endRuns();
    void stop().finally(() => process.exit(128 + number));
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);

  try {
    const own = async (name: string) => {
      const path = join(folder, name);
      await mkdir(path);
      await chown(path, account.uid, account.gid);
      return path;
    };
    const startSsh = async () => {
      const path = await own('ssh');
      const start = async (name: string) =>
        startSshd(servers, path, { account, hostKeys: await createHostKeys(path, name, account) });
      const keys = await createClientKeys(path, account);
      const [ssh, jump] = await Promise.all([start('host'), start('jump')]);
      return { keys, ssh, jump };
    };
    const startDatabase = async () => {
      const image = await clusterImage(account);
      return startPostgres(servers, await own('postgres'), { account, settings: options.postgres, image });
    };
    const startS3 = async () => {
      if (options.s3 === 'none') return undefined;
      return options.s3 ?? givenS3Server() ?? startCeph(servers, disk, options.gateway);
    };
    const unpack = async () => unpackFilestore(await own('odoo'), account);
    const started = settled([startSsh(), startDatabase(), startS3(), unpack()]);
    starting = started;
    const [logins, postgres, s3] = await started;
    const sandbox = withS3({ folder, account, ...logins, postgres, s3 });
    const description = join(folder, 'sandbox.json');
    await writeFile(description, JSON.stringify(sandbox, undefined, 2));
    return Object.assign(sandbox, { description, [Symbol.asyncDispose]: stop });
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A sandbox that was started without an S3 server says so to each caller that asks for it. */
function withS3({ s3, ...rest }: Omit<Sandbox, 's3'> & { readonly s3?: S3Server }): Sandbox {
  if (s3) return { ...rest, s3 };
  const get = (): never => {
    throw new Error('No test of this run seemed to need an S3 server: see scripts/test-needs.ts');
  };
  return Object.defineProperty({ ...rest }, 's3', { get }) as Sandbox;
}

/** Like `Promise.all`, but a failure waits for the others: nothing starts behind the back of who cleans up. */
async function settled<T extends unknown[]>(promises: { [K in keyof T]: Promise<T[K]> }): Promise<T> {
  await Promise.allSettled(promises);
  return Promise.all(promises) as Promise<T>;
}

/**
 * Starts an Odoo host of a test file's own, for what its servers would not bear beside other tests. From then on,
 * `useSandbox` is it.
 *
 * @param postgres lines of postgresql.conf
 */
export async function startOwnSandbox(postgres?: string): Promise<AsyncDisposable> {
  const shared = process.env.SANDBOX;
  const sandbox = await startSandbox({ postgres, s3: useSandbox().s3 });
  process.env.SANDBOX = sandbox.description;
  return {
    async [Symbol.asyncDispose]() {
      process.env.SANDBOX = shared;
      await sandbox[Symbol.asyncDispose]();
    },
  };
}

/** The sandbox of this test run. @throws Error when there is none */
export function useSandbox(): Sandbox {
  const description = process.env.SANDBOX;
  if (!description) throw new Error('This test needs the sandbox: run npm test -- <file>');
  return withS3(JSON.parse(readFileSync(description, 'utf8')) as Sandbox);
}
