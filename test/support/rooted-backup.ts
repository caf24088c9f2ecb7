import assert from 'node:assert/strict';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  cleanEnvironment,
  type Ended,
  type Made,
  type Run,
  runCommand,
  startBackup,
  takeBackup,
  type Variables,
} from './backup-run.ts';
import type { RawInputs } from './inputs.ts';
import { assertNothingStored } from './leftovers.ts';
import { type RootedHost, type RootedHostOptions, startRootedHost } from './rooted-host.ts';
import { createBucket, s3Client } from './s3.ts';
import { type Sandbox, useSandbox } from './sandbox.ts';

/** Backups of rooted hosts, each into a bucket of its own. */
export interface RootedBackups {
  /** Gives a test such a host. Where the tests do not run as root, it says so and does nothing. */
  onHost(options: RootedHostOptions, body: (host: RootedHost) => Promise<void>): Promise<void>;
  start(host: RootedHost, inputs?: RawInputs): Run;
  /** A backup that is made, with the whole filestore. */
  succeeds(host: RootedHost, inputs?: RawInputs): Promise<Ended & Pick<Made, 'receipt' | 'object'>>;
  /** A backup that fails with these words in its log, and leaves nothing in the bucket, no process and no file. */
  fails(host: RootedHost, inputs: RawInputs, ...words: readonly RegExp[]): Promise<void>;
}

/** Inputs that reach such a host, and a bucket. */
export const rootedInputs = (host: RootedHost, { keys, s3 }: Sandbox, bucket: string): RawInputs => ({
  'ssh-host': host.host,
  'ssh-port': String(host.port),
  'ssh-user': host.user,
  'ssh-key': keys.plain,
  'ssh-known-hosts': host.knownHosts,
  's3-bucket': bucket,
  's3-endpoint': s3.endpoint,
  customer: 'acme',
});

export function useRootedBackups(): RootedBackups {
  const sandbox = useSandbox();
  const client = s3Client(sandbox.s3);
  const buckets = new Map<RootedHost, string>();
  const bucketOf = (host: RootedHost) => buckets.get(host) ?? '';
  after(() => client.destroy());

  const asked = (host: RootedHost, inputs: RawInputs): [RawInputs, Variables] => {
    const few = rootedInputs(host, sandbox, bucketOf(host));
    return [{ ...few, database: host.database, ...inputs }, cleanEnvironment(sandbox.s3)];
  };
  return {
    async onHost(options, body) {
      if (process.getuid?.() !== 0) return console.error('only root can make such a host: not tested');
      await using host = await startRootedHost(sandbox, options);
      buckets.set(host, await createBucket(client));
      await body(host);
    },
    start: (host, inputs = {}) => startBackup(...asked(host, inputs)),
    async succeeds(host, inputs = {}) {
      const ended = await runCommand('backup', ...asked(host, inputs));
      assert.equal(ended.exitCode, 0, ended.log);
      const lines = ended.stdout.trim().split('\n');
      const outputs = Object.fromEntries(
        lines.map((line) => [line.split('=', 1)[0], line.slice(line.indexOf('=') + 1)]),
      );
      const { receipt, object } = await takeBackup(client, bucketOf(host), outputs);
      assert.equal(receipt.filestore?.files, 205);
      assert.equal(receipt.filestore?.missing, 0);
      await assertNothingLeft(host);
      return { ...ended, receipt, object };
    },
    async fails(host, inputs, ...words) {
      const ended = await runCommand('backup', ...asked(host, inputs));
      for (const pattern of words) assert.match(ended.log, pattern);
      assert.equal(ended.exitCode, 1, ended.log);
      await assertNothingStored(client, bucketOf(host));
      await assertNothingLeft(host);
    },
  };
}

/** No program of a backup runs on the host any more, and no folder of one lies there. */
export async function assertNothingLeft(host: RootedHost): Promise<void> {
  const left = /^(pg_dump|psql|tar|zstd|pigz|gzip|runuser|sudo)$/m;
  const running = async () => left.test(await host.exec(['ps', '-eo', 'comm=']));
  for (const until = Date.now() + 120_000; (await running()) && Date.now() < until; ) await sleep(100);
  assert.doesNotMatch(await host.exec(['ps', '-eo', 'comm=']), left);
  const files = await host.exec(['find', '/tmp', '/var/tmp', '-name', 'odoo-backup*']);
  assert.equal(files.trim(), '', 'files were left on the host');
}

/** Like `holdDump`, on a rooted host. What holds it bears a name that no program of a backup has. */
export async function holdDumpOn({ database, exec }: RootedHost): Promise<AsyncDisposable> {
  const psql = join(useSandbox().postgres.bin, 'psql');
  const asOdoo = ['setpriv', '--reuid=odoo', '--regid=odoo', '--init-groups'];
  const ask = (sql: string) => exec([...asOdoo, psql, '-XAtqd', database, '-c', sql]);
  await exec(['cp', psql, '/run/lock-holder']);
  await ask('CREATE TABLE IF NOT EXISTS held (part int) PARTITION BY LIST (part)');
  const session = new PassThrough();
  session.write('BEGIN; LOCK TABLE held IN ACCESS EXCLUSIVE MODE;\n');
  const ended = exec([...asOdoo, '/run/lock-holder', '-XAtqd', database], session);
  while ((await ask("SELECT 1 FROM pg_locks WHERE relation = 'held'::regclass AND granted")) === '')
    await sleep(50);
  return {
    async [Symbol.asyncDispose]() {
      session.end();
      await ended;
    },
  };
}
