import assert from 'node:assert/strict';
import { pipeline, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { entryAsPlain, type PlainDumpOptions, plainDumpFilter } from '../../src/backup-reader/plain-dump.ts';
import { describeDatabase, eachAttachedFile, type OdooDatabase } from '../../src/odoo/database.ts';
import { createDatabase } from '../../src/postgres/create-database.ts';
import { derivedName } from '../../src/postgres/derived-names.ts';
import { streamDump } from '../../src/postgres/dump.ts';
import type { LoadOptions } from '../../src/postgres/load.ts';
import type { Dump } from '../../src/postgres/loadable-dump.ts';
import type { Postgres } from '../../src/postgres/server.ts';
import { Snapshot } from '../../src/postgres/snapshot.ts';
import { assertNothingRuns } from './leftovers.ts';
import { dropTemplate, openRestoreHost, type RestoreHost, timestamp } from './restore-host.ts';

/** An Odoo host with an empty database beside the one of Odoo. */
export async function openLoad(prepare?: (scene: RestoreHost) => Promise<unknown>) {
  await using resources = new AsyncDisposableStack();
  const scene = resources.use(await openRestoreHost());
  await prepare?.(scene);
  const { postgres, tools } = scene.found;
  const database = derivedName(scene.odoo.database, 'new', timestamp);
  await using snapshot = await Snapshot.open(postgres, scene.odoo.database);
  const facts = { ...(await describeDatabase(snapshot)), files: await filesOf(snapshot) };
  const dumped = async (...options: string[]) => buffer(await streamDump(snapshot, options, undefined));
  const dumps = {
    custom: await dumped('--format=custom', '--compress=0'),
    plain: await dumped('--format=plain', '--no-owner'),
  };
  resources.defer(() => dropTemplate(scene, database));
  await createDatabase(postgres, database, 'odoo', facts.traits);
  const options: LoadOptions = { tools, jobs: 2, schemas: [], keepOwnership: true, asPlain: entryAsPlain };
  const kept = resources.move();
  return { ...scene, database, facts, dumps, options, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** The bytes in pieces, as they come from S3; `fault` ends them half-way. */
export function dumpOf(kind: 'custom' | 'plain', bytes: Buffer, fault?: () => unknown): Dump {
  const open = async function* () {
    for (let at = 0; at < bytes.length; at += 65536) {
      if (fault && at > bytes.length / 2) await fault();
      yield bytes.subarray(at, at + 65536);
    }
  };
  if (kind === 'custom') return { kind, size: bytes.length, open };
  const filtered = (passage: PlainDumpOptions) =>
    pipeline(Readable.from(open(), { objectMode: false }), plainDumpFilter(kind, passage), () => {});
  return { kind, size: bytes.length, open: filtered };
}

/** Names of the files of attachments. */
async function filesOf(snapshot: Snapshot): Promise<string[]> {
  const names: string[] = [];
  await eachAttachedFile(snapshot, (name) => names.push(name));
  return names.sort();
}

async function factsOf(
  postgres: Postgres,
  database: string,
): Promise<OdooDatabase & { readonly files: string[] }> {
  await using snapshot = await Snapshot.open(postgres, database);
  return { ...(await describeDatabase(snapshot)), files: await filesOf(snapshot) };
}

const withoutTraits = ({
  counts,
  attachments,
  files,
  extensions,
  modules,
  roles,
}: Awaited<ReturnType<typeof factsOf>>) => ({
  counts,
  attachments,
  files,
  extensions,
  modules,
  roles,
});

/** Closes the connection. */
export async function assertNothingLeft(
  { host, ssh, sandbox }: RestoreHost,
  database: string,
): Promise<void> {
  await host[Symbol.asyncDispose]();
  await assertNothingRuns(ssh, sandbox.postgres, database);
}

/** The new database is as the one that was dumped, and nothing runs any more. Closes the connection. */
export async function assertLoaded(scene: Awaited<ReturnType<typeof openLoad>>): Promise<void> {
  const loaded = await factsOf(scene.found.postgres, scene.database);
  assert.deepEqual(withoutTraits(loaded), withoutTraits(scene.facts));
  await assertNothingLeft(scene, scene.database);
}
