import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { holdName } from './odoo.ts';
import { run } from './processes.ts';

const cache = join(import.meta.dirname, '../../node_modules/.cache/odoo-backup-tests');

/** What something is made of: texts, and files. */
export interface Origin {
  readonly texts: readonly string[];
  readonly files: readonly string[];
}

/**
 * A file or a folder that takes seconds to make, and is the same for every run of the tests: it is made when there is
 * none that was made of the same. @returns its path
 */
export async function madeOnce(
  name: string,
  { texts, files }: Origin,
  make: (path: string) => Promise<void>,
): Promise<string> {
  const digest = createHash('sha256').update(JSON.stringify(texts));
  for (const file of files) digest.update(await readFile(file));
  const path = join(cache, `${name}-${digest.digest('hex').slice(0, 16)}`);
  await mkdir(cache, { recursive: true });
  await using _ = await holdName(cache, name);
  if (existsSync(path)) {
    await utimes(path, new Date(), new Date());
    return path;
  }
  const unfinished = `${path}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await make(unfinished);
  await rename(unfinished, path);
  await removeOld(name);
  return path;
}

const DAY_MS = 24 * 3_600_000;

/** Removes what no run has used for a day: it was made of something that is no more. */
async function removeOld(name: string): Promise<void> {
  for (const each of await readdir(cache)) {
    const path = join(cache, each);
    if (!each.startsWith(`${name}-`) || Date.now() - (await stat(path)).mtimeMs < DAY_MS) continue;
    await rm(path, { recursive: true });
  }
}

/** Names a version of PostgreSQL's programs. */
export const versionOf = (bin: string): Promise<string> => run([join(bin, 'postgres'), '--version']);
