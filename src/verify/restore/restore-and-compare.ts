import type { RestoreSource } from '../../backup-reader/open.ts';
import { dumpMajorOf } from '../../backup-reader/versions.ts';
import type { Proof } from '../../catalog/proofs.ts';
import type { Run } from '../../platform/run.ts';
import { withRestoreClient } from '../../postgres/load-errors.ts';
import { sweepTestDatabases } from '../../postgres/temporary-databases.ts';
import { formatBytes, formatCounted, formatDuration } from '../../util/format.ts';
import { compareRestored } from './compare.ts';
import { databaseOf } from './dump-needs.ts';
import { assertFit } from './fit.ts';
import { loadScratch } from './load.ts';
import type { RestoreTest } from './restore-test.ts';
import { createScratch } from './scratch.ts';
import type { PostgresBinaries } from './servers/binaries.ts';
import { openServer } from './servers/open.ts';
import type { TestServer } from './servers/server.ts';

/**
 * Restores the archive's dump into a scratch database, which is dropped in every case, and compares that with what was
 * recorded when it was backed up.
 *
 * @returns what a restore takes in seconds, and by which programs
 * @throws ContentError when the archive is not what it should be; another error when that could not be found out
 */
export async function restoreAndCompare(
  source: RestoreSource,
  test: RestoreTest,
  binaries: PostgresBinaries | undefined,
  run: Run,
): Promise<Pick<Proof, 'programs' | 'seconds'>> {
  await using server = await openServer(source, test, binaries, run);
  return await testOn(server, source, run);
}

async function testOn(
  server: TestServer,
  source: RestoreSource,
  run: Run,
): Promise<Pick<Proof, 'programs' | 'seconds'>> {
  const { platform, signal } = run;
  const { app, tools, label, jobs } = server;
  await assertFit(source, server);
  const loader = source.dump.kind === 'plain' ? app : withRestoreClient(app, tools, dumpMajorOf(source));
  const program = source.dump.kind === 'plain' ? 'psql' : 'pg_restore';
  const by = `${program} ${loader.client.major}${program === 'psql' ? '' : `, ${formatCounted(jobs, 'session')}`}`;
  platform.info(`PostgreSQL ${app.version.text} on ${label}, by ${by}`);
  for (const name of await sweepTestDatabases(server.admin, databaseOf(source))) {
    platform.info(`Dropped ${name}: a test that was killed had left it`);
  }
  await using scratch = await createScratch(server, databaseOf(source), traitsOf(source), platform);
  const { database } = scratch;
  for (const difference of scratch.differs) platform.info(difference);
  const extensions = source.description?.extensions ?? [];
  const seconds = await loadScratch(server, { database, loader }, { dump: source.dump, extensions }, signal);
  platform.info(`Restored in ${formatDuration(seconds * 1000)}: ${formatBytes(source.dump.size)} of dump`);
  await compareRestored(source, server, database, run);
  signal.throwIfAborted();
  return {
    programs: { postgres: app.version.text, [program]: String(loader.client.major) },
    seconds: Math.round(seconds * 1000) / 1000,
  };
}

/** Traits of the database; for a backup that names none, those that Odoo gives a new one. */
const traitsOf = ({ description }: RestoreSource) =>
  description?.postgres ?? {
    encoding: 'UTF8',
    collate: 'C',
    ctype: 'C.UTF-8',
    localeProvider: 'libc',
    locale: null,
  };
