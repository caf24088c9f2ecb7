import type { RestoreSource } from '../../../backup-reader/open.ts';
import type { Run } from '../../../platform/run.ts';
import { databaseBytesOf, databaseOf, neededMajor } from '../dump-needs.ts';
import type { RestoreTest } from '../restore-test.ts';
import type { PostgresBinaries } from './binaries.ts';
import { openGivenServer } from './given.ts';
import { openOdooHost } from './odoo-host.ts';
import { findClients, findPrograms } from './programs.ts';
import { openRunner } from './runner.ts';
import type { TestServer } from './server.ts';
import { startThrowawayServer } from './throwaway.ts';

/** Opens the server that a backup is to be restored on. @throws UserError where that is not to be had */
export async function openServer(
  source: RestoreSource,
  test: RestoreTest,
  binaries: PostgresBinaries | undefined,
  run: Run,
): Promise<TestServer> {
  switch (test.kind) {
    case 'runner': {
      const host = await openRunner();
      const programs = await findPrograms(host, neededMajor(source), binaries);
      return startThrowawayServer(host, programs, databaseBytesOf(source), run.signal);
    }
    case 'host':
      return openOdooHost(test, databaseOf(source), databaseBytesOf(source), run);
    case 'server': {
      const host = await openRunner();
      return openGivenServer(host, await findClients(host, binaries), test);
    }
  }
}
