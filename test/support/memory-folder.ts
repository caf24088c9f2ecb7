import { chmod, mkdtemp, readdir, readlink, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MEMORY = '/dev/shm';
const TMPFS = 0x01021994; // statfs(2)
/** As much as all tests together have in their databases, twice. */
const ROOM = 4 * 2 ** 30;

/**
 * A new folder for what servers write and nobody needs after them, which other accounts may enter: in memory where
 * there is room and no TMPDIR names another place, for to create and drop a database is to make and remove hundreds of
 * files.
 */
export async function memoryFolder(name: string): Promise<string> {
  const { type, bavail, bsize } = await statfs(MEMORY).catch(() => ({ type: 0, bavail: 0, bsize: 0 }));
  const inMemory = process.env.TMPDIR === undefined && type === TMPFS && bavail * bsize >= ROOM;
  if (inMemory) await removeLeft(name);
  const folder = await mkdtemp(
    join(inMemory ? MEMORY : tmpdir(), `${name}-${process.pid}-${await namespace()}_`),
  );
  await chmod(folder, 0o755);
  return folder;
}

/** The PID namespace: in another one, nobody can tell whether a process of this one runs. */
const namespace = async (): Promise<string> =>
  Number((await readlink('/proc/self/ns/pid').catch(() => '')).replaceAll(/\D/g, '')).toString(36);

/** Removes what processes that were killed have left: it takes memory. */
async function removeLeft(name: string): Promise<void> {
  const own = await namespace();
  for (const each of await readdir(MEMORY)) {
    const [, pid] = new RegExp(`^${name}-(\\d+)-${own}_`).exec(each) ?? [];
    if (pid !== undefined && !isAlive(Number(pid)))
      await rm(join(MEMORY, each), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'; // another account's: EPERM
  }
}
