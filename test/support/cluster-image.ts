import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { memoryFolder } from './memory-folder.ts';
import { archive, holdName, loadTemplates } from './odoo.ts';
import { dataFolder, newestPrograms, startPostgres } from './postgres.ts';
import { type Account, run, Servers } from './processes.ts';

const cache = join(import.meta.dirname, '../../node_modules/.cache/postgres');

/**
 * The data folder of a cluster with the role of Odoo and the templates, whose server does not run. It is made when there
 * is none that was made in this way of this fixture: to copy it takes a fiftieth of the time. @returns its path
 */
export async function clusterImage(account: Account): Promise<string> {
  const bin = await newestPrograms();
  const image = join(cache, await originOf(bin, account));
  await mkdir(cache, { recursive: true });
  await using _ = await holdName(cache, 'image');
  if (existsSync(image)) return image;
  const folder = await memoryFolder('odoo-backup-image');
  try {
    await chown(folder, account.uid, account.gid);
    await makeCluster(folder, account);
    // Without what the server has logged: the log of changes would be larger than all else.
    await run([join(bin, 'pg_resetwal'), '--pgdata', dataFolder(folder)], { as: account });
    const unfinished = `${image}.unfinished`;
    await rm(unfinished, { recursive: true, force: true });
    await run(['cp', '--archive', dataFolder(folder), unfinished]);
    await rename(unfinished, image);
    return image;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function makeCluster(folder: string, account: Account): Promise<void> {
  await using servers = new Servers(folder);
  await loadTemplates(await startPostgres(servers, folder, { account }));
}

/** A name for all that the image depends on: whose it is, the server's version, the fixture, and what is done with it. */
async function originOf(bin: string, account: Account): Promise<string> {
  const origin = createHash('sha256').update(await run([join(bin, 'postgres'), '--version']));
  const sources = ['cluster-image.ts', 'odoo.ts', 'postgres.ts'].map((name) =>
    join(import.meta.dirname, name),
  );
  for (const path of [archive, ...sources]) origin.update(await readFile(path));
  return `${account.name}-${origin.digest('hex').slice(0, 16)}`;
}
