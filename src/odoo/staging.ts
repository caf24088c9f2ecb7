import { dirname } from 'node:path/posix';
import type { Folder } from '../host/folder.ts';
import type { OwnedFolder } from '../host/owned-folder.ts';
import { run } from '../host/run.ts';
import type { FilestoreFile } from './file-list.ts';
import { listFilestore, sha1Of } from './filestore.ts';

/** How files are checked and copied. */
export interface CopyOptions {
  /** How many files are checked at once. */
  readonly cores: number;
  readonly signal?: AbortSignal;
}

/** Where the files that a filestore is to have come from. */
export interface Staged {
  /** Files that the host had. */
  readonly linked: readonly FilestoreFile[];
  /** Files that have to come from the backup. */
  readonly missing: readonly FilestoreFile[];
}

/**
 * Makes a folder of those wanted files that the live filestore has, by hard links: no bytes move, and none are taken
 * up. A file counts as there when its content has the SHA-1 that its name says: the host computes it. Where the host
 * refuses links (its file system, or `fs.protected_hardlinks`), it copies, by reflink where it can.
 *
 * @param staged path of the new folder, beside the live one
 * @throws CommandError when the folder is there already, or cannot be made
 */
export async function stageFilestore(
  live: OwnedFolder,
  staged: string,
  wanted: readonly FilestoreFile[],
  options: CopyOptions,
): Promise<Staged> {
  await run(
    live.host,
    live.command(['sh', '-c', 'mkdir -p -- "$1" && mkdir -- "$2"', 'sh', dirname(staged), staged]),
  );
  const sizes = sizesOf(live.exists ? await filesIn(live) : []);
  const candidates = wanted.filter((file) => isCandidate(file, sizes)).map(({ name }) => name);
  const whole = new Set(await wholeFiles(live, candidates, options));
  await link(live, staged, [...whole], options.signal);
  return {
    linked: wanted.filter(({ name }) => whole.has(name)),
    missing: wanted.filter(({ name }) => !whole.has(name)),
  };
}

/**
 * Copies those wanted files that another database's filestore has into a folder, by reflink where the file system can.
 * No hard links: who changes the owner or the mode of a file in the one would change it in the other. What goes wrong
 * with single files, such as one that Odoo removes just then, only leaves them out.
 *
 * @param staged made by `stageFilestore`
 * @returns those that were copied
 */
export async function copyFiles(
  neighbour: OwnedFolder,
  staged: Folder,
  wanted: readonly FilestoreFile[],
  options: CopyOptions,
): Promise<FilestoreFile[]> {
  const sizes = sizesOf(await filesIn(neighbour));
  const candidates = wanted.filter((file) => isCandidate(file, sizes));
  const names = await wholeFiles(
    neighbour,
    candidates.map(({ name }) => name),
    options,
  );
  const script = `cd -- "$1" || exit
    xargs -0 -r -n 500 cp --no-dereference --parents --reflink=auto --preserve=timestamps --target-directory="$2" -- || :`;
  const command = neighbour.command(['sh', '-c', script, 'sh', neighbour.path, staged.path]);
  await run(neighbour.host, command, {
    input: names.map((name) => `${name}\0`).join(''),
    signal: options.signal,
  });
  const copied = new Set(names);
  const attempted = candidates.filter(({ name }) => copied.has(name));
  const absent = new Set(await absentFrom(staged, attempted));
  return attempted.filter(({ name }) => !absent.has(name));
}

/** How a live filestore differs from the wanted one, by names and sizes alone: torn files come on top. */
export interface Difference {
  /** What would have to move. */
  readonly missing: readonly FilestoreFile[];
  /** What would be copied from another database's filestore on the host. */
  readonly copied: readonly FilestoreFile[];
  /** What a swap would take away. */
  readonly onlyLive: readonly FilestoreFile[];
}

/** Read only. */
export async function compareFilestore(
  live: OwnedFolder,
  wanted: readonly FilestoreFile[],
  neighbour?: OwnedFolder,
): Promise<Difference> {
  const there = live.exists ? await filesIn(live) : [];
  const sizes = sizesOf(there);
  const others = sizesOf(neighbour ? await filesIn(neighbour) : []);
  const names = new Set(wanted.map(({ name }) => name));
  const notLive = wanted.filter((file) => !isCandidate(file, sizes));
  return {
    missing: notLive.filter((file) => !isCandidate(file, others)),
    copied: notLive.filter((file) => isCandidate(file, others)),
    onlyLive: there.filter(({ name }) => !names.has(name)),
  };
}

/** Whether a folder has the file in the right size. A name without a SHA-1 proves nothing. */
const isCandidate = ({ name, size }: FilestoreFile, sizes: ReadonlyMap<string, number>): boolean =>
  sha1Of(name) !== undefined && sizes.get(name) === size;

/** Every file of a filestore on the host, read only. */
export const filesIn = (place: Folder): Promise<FilestoreFile[]> => Array.fromAsync(listFilestore(place));

const sizesOf = (files: readonly FilestoreFile[]): Map<string, number> =>
  new Map(files.map(({ name, size }) => [name, size]));

/** Few enough that what one sha1sum prints fits into one write(2): several may print at once. */
const NAMES_A_SHA1SUM = 40;

async function wholeFiles(
  live: OwnedFolder,
  names: readonly string[],
  { cores, signal }: CopyOptions,
): Promise<string[]> {
  if (names.length === 0) return [];
  // A file that vanishes meanwhile has no line, and xargs the exit code 123.
  const script = `cd -- "$1" || exit
    xargs -0 -r -n ${NAMES_A_SHA1SUM} -P "$2" sha1sum --; code=$?
    [ $code -eq 0 ] || [ $code -eq 123 ]`;
  const command = live.command(['sh', '-c', script, 'sh', live.path, String(cores)]);
  const output = await run(live.host, command, { input: names.map((name) => `${name}\0`).join(''), signal });
  return output.split('\n').flatMap((line) => {
    const [sha1, name = ''] = line.split('  ');
    return sha1 !== '' && sha1Of(name) === sha1 ? [name] : [];
  });
}

async function link(
  live: OwnedFolder,
  staged: string,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  if (names.length === 0) return;
  // `--parents` makes the folders, with the modes that they have in the live filestore.
  const copy = 'cp --no-dereference --parents';
  const script = `cd -- "$1" || exit
    xargs -0 -r -n 500 sh -c 'to=$1; shift
      ${copy} --link --target-directory="$to" -- "$@" 2>/dev/null ||
      ${copy} --reflink=auto --preserve=mode,timestamps --remove-destination --target-directory="$to" -- "$@"' sh "$2"`;
  const command = live.command(['sh', '-c', script, 'sh', live.path, staged]);
  await run(live.host, command, { input: names.map((name) => `${name}\0`).join(''), signal });
}

/** Names of the wanted files that a folder lacks, or has in another size. */
export async function absentFrom(place: Folder, wanted: readonly FilestoreFile[]): Promise<string[]> {
  const sizes = sizesOf(await filesIn(place));
  return wanted.filter(({ name, size }) => sizes.get(name) !== size).map(({ name }) => name);
}
