import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import { type PostgresServer, psql } from './postgres.ts';
import { descendantsAmong, type ProcessEntry, processes, readOf } from './processes.ts';
import { listKeys, listUploads } from './s3.ts';
import type { SshServer } from './sshd.ts';

/** How long a process may take to notice that nobody is there any more. */
const patienceMs = 120_000;

/** After a failed backup: no archive, no receipt, no upload that was never finished under the prefix. */
export async function assertNothingStored(client: S3Client, bucket: string, prefix = ''): Promise<void> {
  assert.deepEqual(await listKeys(client, bucket, prefix), [], 'objects were left');
  assert.deepEqual(await listUploads(client, bucket, prefix), [], 'unfinished uploads were left');
}

/**
 * After any run, once its connection is closed: no process of it on the host, no file in its TMPDIR, no session in
 * the database (an open snapshot holds back vacuum). Give the test an sshd of its own: `startOwnSshd`.
 */
export async function assertNothingRuns(
  ssh: SshServer,
  postgres: PostgresServer,
  database: string,
): Promise<void> {
  await assertNothingOnHost(ssh);
  assert.deepEqual(await soonEmpty(() => sessionsOf(postgres, database)), [], 'database sessions were left');
}

/** No process and no file of it. */
export async function assertNothingOnHost(ssh: SshServer): Promise<void> {
  assert.deepEqual(await soonEmpty(() => processesOf(ssh)), [], 'processes were left on the host');
  assert.deepEqual(await readdir(ssh.tmp, { recursive: true }), [], 'files were left on the host');
}

/** What runs over this sshd: its sessions and their children, orphans too, as `pid name`. */
export async function processesOf(ssh: SshServer): Promise<string[]> {
  const all = await processes();
  const below = new Set(descendantsAmong(all, ssh.pid));
  const isOurs = ({ pid }: ProcessEntry) =>
    below.has(pid) || readOf(pid, 'environ').split('\0').includes(`TMPDIR=${ssh.tmp}`);
  return all.filter(isOurs).map(({ pid, name }) => `${pid} ${name}`);
}

/** The sessions of a database, as `state query`. */
async function sessionsOf(postgres: PostgresServer, database: string): Promise<string[]> {
  const query = `SELECT state, query FROM pg_stat_activity
    WHERE datname = '${database}' AND backend_type = 'client backend'`;
  return (await psql(postgres, 'postgres', query)).split('\n').filter(Boolean);
}

/** Asks until nothing is left; what is left in the end otherwise. */
async function soonEmpty(list: () => Promise<string[]>): Promise<string[]> {
  const deadline = Date.now() + patienceMs;
  let left = await list();
  while (left.length > 0 && Date.now() < deadline) {
    await sleep(100);
    left = await list();
  }
  return left;
}
