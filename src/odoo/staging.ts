import { dirname } from 'node:path/posix';
import type { Readable } from 'node:stream';
import { feed, feedThrough } from '../host/feed.ts';
import type { Folder } from '../host/folder.ts';
import type { OwnedFolder } from '../host/owned-folder.ts';
import { recordsOf } from '../host/records.ts';
import { run } from '../host/run.ts';
import { allEnded } from '../util/begun.ts';
import { BitSet } from '../util/bit-set.ts';
import type { FileCount, FilestoreFile, WantedFiles } from './file-list.ts';
import { listFilestore, sha1Of } from './filestore.ts';

/** How files are checked and copied. */
export interface CopyOptions {
  /** How many files are checked at once. */
  readonly cores: number;
  readonly signal?: AbortSignal;
}

/** Where the files that a filestore is to have come from, by their numbers. */
export interface Staged {
  /** Files that the host had. */
  readonly linked: BitSet;
  /** Files that have to come from the backup. */
  readonly missing: BitSet;
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
  wanted: WantedFiles,
  options: CopyOptions,
): Promise<Staged> {
  const make = ['sh', '-c', 'mkdir -p -- "$1" && mkdir -- "$2"', 'sh', dirname(staged), staged];
  const [, candidates] = await allEnded(
    run(live.host, live.command(make)),
    live.exists ? candidatesIn(live, wanted) : Promise.resolve(new BitSet(0)),
  );
  const linked = await wholeFiles(live, wanted, candidates, options);
  if (linked.count > 0) await link(live, staged, wanted.values(linked), options.signal);
  return { linked, missing: wanted.numbers().without(linked) };
}

/** Files that a filestore lacks of those that it is to have. */
export interface MissingFiles {
  readonly wanted: WantedFiles;
  /** Their numbers. */
  readonly missing: BitSet;
}

/**
 * Copies those wanted files that another database's filestore has into a folder, by reflink where the file system can.
 * No hard links: who changes the owner or the mode of a file in the one would change it in the other. What goes wrong
 * with single files, such as one that Odoo removes just then, only leaves them out.
 *
 * @param staged made by `stageFilestore`
 * @returns the numbers of those that were copied
 */
export async function copyFiles(
  neighbour: OwnedFolder,
  staged: Folder,
  { wanted, missing }: MissingFiles,
  options: CopyOptions,
): Promise<BitSet> {
  const candidates = await candidatesIn(neighbour, wanted, missing);
  const whole = await wholeFiles(neighbour, wanted, candidates, options);
  if (whole.count === 0) return whole;
  const script = `cd -- "$1" || exit
    xargs -0 -r -n 500 cp --no-dereference --parents --reflink=auto --preserve=timestamps --target-directory="$2" -- || :`;
  const command = ['sh', '-c', script, 'sh', neighbour.path, staged.path];
  await feedNames(neighbour, command, wanted.values(whole), options.signal);
  return await presentIn(staged, wanted, whole);
}

/** How a live filestore differs from the wanted one, by names and sizes alone: torn files come on top. */
export interface Difference {
  /** What would have to move. */
  readonly missing: FileCount;
  /** What would be copied from another database's filestore on the host. */
  readonly copied: FileCount;
  /** What a swap would take away. */
  readonly onlyLive: FileCount;
}

/** Read only. */
export async function compareFilestore(
  live: OwnedFolder,
  wanted: WantedFiles,
  neighbour?: OwnedFolder,
): Promise<Difference> {
  const onlyLive = { files: 0, bytes: 0 };
  const all = wanted.numbers();
  const there = new BitSet(all.length);
  for await (const file of live.exists ? listFilestore(live) : []) {
    const number = wanted.indexOf(file.name);
    if (number < 0) {
      onlyLive.files += 1;
      onlyLive.bytes += file.size;
    } else if (isCandidate(file, wanted, number)) there.add(number);
  }
  const notLive = all.without(there);
  const copied = neighbour ? await candidatesIn(neighbour, wanted, notLive) : new BitSet(all.length);
  const countOf = (numbers: BitSet) => ({ files: numbers.count, bytes: bytesOf(wanted, numbers) });
  return { missing: countOf(notLive.without(copied)), copied: countOf(copied), onlyLive };
}

/** Total size of some files in bytes. */
function bytesOf(wanted: WantedFiles, numbers: BitSet): number {
  let bytes = 0;
  for (const number of numbers) bytes += wanted.sizeAt(number);
  return bytes;
}

/** Whether a file of a folder is as large as the wanted one. A name without a SHA-1 proves nothing. */
const isCandidate = ({ name, size }: FilestoreFile, wanted: WantedFiles, number: number): boolean =>
  sha1Of(name) !== undefined && wanted.sizeAt(number) === size;

/** Numbers of the files that a folder has in the right size. @param among numbers; undefined: all */
async function candidatesIn(place: Folder, wanted: WantedFiles, among = wanted.numbers()): Promise<BitSet> {
  const found = new BitSet(among.length);
  for await (const file of listFilestore(place)) {
    const number = wanted.indexOf(file.name);
    if (number >= 0 && among.has(number) && isCandidate(file, wanted, number)) found.add(number);
  }
  return found;
}

/** Few enough that what one sha1sum prints fits into one write(2): several may print at once. */
const NAMES_A_SHA1SUM = 40;

/** Numbers of the files among the candidates whose content has the SHA-1 of their names. */
async function wholeFiles(
  live: OwnedFolder,
  wanted: WantedFiles,
  candidates: BitSet,
  { cores, signal }: CopyOptions,
): Promise<BitSet> {
  const whole = new BitSet(wanted.numbers().length);
  if (candidates.count === 0) return whole;
  // A file that vanishes meanwhile has no line, and xargs the exit code 123.
  const script = `cd -- "$1" || exit
    xargs -0 -r -n ${NAMES_A_SHA1SUM} -P "$2" sha1sum --; code=$?
    [ $code -eq 0 ] || [ $code -eq 123 ]`;
  const command = live.command(['sh', '-c', script, 'sh', live.path, String(cores)]);
  const source = nameRecords(wanted.values(candidates));
  const read = async (stdout: Readable) => {
    for await (const line of recordsOf(stdout, '\n', 'sha1sum')) {
      const [sha1, name = ''] = line.split('  ');
      if (sha1 === '' || sha1Of(name) !== sha1) continue;
      const number = wanted.indexOf(name);
      if (number >= 0) whole.add(number);
    }
  };
  await feedThrough({ host: live.host, command, signal }, source, read);
  return whole;
}

async function link(
  live: OwnedFolder,
  staged: string,
  files: Iterable<FilestoreFile>,
  signal?: AbortSignal,
): Promise<void> {
  // `--parents` makes the folders, with the modes that they have in the live filestore.
  const copy = 'cp --no-dereference --parents';
  const script = `cd -- "$1" || exit
    xargs -0 -r -n 500 sh -c 'to=$1; shift
      ${copy} --link --target-directory="$to" -- "$@" 2>/dev/null ||
      ${copy} --reflink=auto --preserve=mode,timestamps --remove-destination --target-directory="$to" -- "$@"' sh "$2"`;
  await feedNames(live, ['sh', '-c', script, 'sh', live.path, staged], files, signal);
}

/** Runs a command with the names of files on its standard input. */
const feedNames = (
  place: Folder,
  argv: readonly string[],
  files: Iterable<FilestoreFile>,
  signal?: AbortSignal,
): Promise<string> => feed(place.host, place.command(argv), nameRecords(files), signal);

/** Names for `xargs -0`, in pieces. */
async function* nameRecords(files: Iterable<FilestoreFile>): AsyncGenerator<Buffer> {
  let records: string[] = [];
  for (const { name } of files) {
    records.push(`${name}\0`);
    if (records.length < NAMES_A_PIECE) continue;
    yield Buffer.from(records.join(''));
    records = [];
  }
  if (records.length > 0) yield Buffer.from(records.join(''));
}

const NAMES_A_PIECE = 1000;

/** Numbers of the wanted files that a folder has in the right size. */
async function presentIn(place: Folder, wanted: WantedFiles, among: BitSet): Promise<BitSet> {
  const present = new BitSet(among.length);
  for await (const { name, size } of listFilestore(place)) {
    const number = wanted.indexOf(name);
    if (number >= 0 && among.has(number) && wanted.sizeAt(number) === size) present.add(number);
  }
  return present;
}

/** Names of the wanted files that a folder lacks, or has in another size. */
export async function absentFrom(place: Folder, wanted: WantedFiles): Promise<string[]> {
  const all = wanted.numbers();
  const absent = all.without(await presentIn(place, wanted, all));
  return absent.count === 0 ? [] : Array.from(wanted.values(absent), ({ name }) => name);
}
