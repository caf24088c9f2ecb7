import { chown, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { madeOnce, versionOf } from './made-once.ts';
import { memoryFolder } from './memory-folder.ts';
import { archive, loadTemplates } from './odoo.ts';
import { dataFolder, newestPrograms, startPostgres } from './postgres.ts';
import { type Account, run, Servers } from './processes.ts';

/**
 * The data folder of a cluster with the role of Odoo and the templates, whose server does not run: to copy it takes a
 * fiftieth of the time that loading the fixture takes. @returns its path
 */
export async function clusterImage(account: Account): Promise<string> {
  const bin = await newestPrograms();
  const sources = ['cluster-image.ts', 'odoo.ts', 'postgres.ts'].map((name) =>
    join(import.meta.dirname, name),
  );
  const origin = { texts: [account.name, await versionOf(bin)], files: [archive, ...sources] };
  return madeOnce('cluster', origin, (path) => makeImage(path, bin, account));
}

async function makeImage(path: string, bin: string, account: Account): Promise<void> {
  const folder = await memoryFolder('odoo-backup-image');
  const data = dataFolder(folder);
  try {
    await chown(folder, account.uid, account.gid);
    await makeCluster(folder, account);
    // The log of what was loaded would be larger than all else.
    await run([join(bin, 'pg_resetwal'), '--pgdata', data], { as: account });
    await run(['cp', '--archive', data, path]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** When this is over, the server has ended in good order. */
async function makeCluster(folder: string, account: Account): Promise<void> {
  await using servers = new Servers(folder);
  await loadTemplates(await startPostgres(servers, folder, { account }));
}
