import { basename, dirname } from 'node:path/posix';
import { explaining } from '../host/explaining.ts';
import type { Shell } from '../host/folder.ts';
import { type Command, CommandError, type Host } from '../host/host.ts';
import type { OwnedFolder } from '../host/owned-folder.ts';
import { run } from '../host/run.ts';
import {
  type Derivation,
  isDerivedName,
  parseDerivedName,
  temporaryTimestamp,
} from '../postgres/derived-names.ts';
import { UserError } from '../util/errors.ts';

/** The paths of a swap of folders. */
export interface FolderSwap {
  /** The path that Odoo uses. */
  readonly current: string;
  /** The path for the folder that is replaced; undefined: there is none. */
  readonly old: string | undefined;
  readonly new: string;
  /** What is noted of the old one, where no database says it (`noteFolder`). */
  readonly note?: string;
}

/** The file beside a folder that says of it what a comment says of a database. */
const noteOf = (folder: string): string => `${folder}.note`;

/** A swap that did not begin, because something is in its way: there is nothing to be taken back. */
export class ObstructedSwapError extends UserError {}

/** Exit code of the script that swaps, for that. */
const OBSTRUCTED = 3;

/**
 * Gives the new folder the path, by renames in one script on the host: when the second fails, it takes the first
 * back, and when the connection goes, it still ends.
 *
 * @throws UserError when it failed; everything is where it was then. An ObstructedSwapError when nothing was renamed
 */
export async function swapFolders({ host, command }: Shell, swap: FolderSwap): Promise<void> {
  const script = `new=$1 current=$2 old=$3 note=$4
    [ -d "$new" ] || { echo "$new is not there" >&2; exit ${OBSTRUCTED}; }
    if [ -z "$old" ]; then
      [ ! -e "$current" ] || { echo "$current is there already" >&2; exit ${OBSTRUCTED}; }
      exec mv -T -- "$new" "$current"
    fi
    [ ! -e "$old" ] || { echo "$old is there already" >&2; exit ${OBSTRUCTED}; }
    [ -z "$note" ] || printf %s "$note" >"$old.note" || exit
    mv -T -- "$current" "$old" || exit
    mv -T -- "$new" "$current" && exit
    mv -T -- "$old" "$current"; exit 1`;
  const argv = ['sh', '-c', script, 'sh', swap.new, swap.current, swap.old ?? '', swap.note ?? ''];
  await rename(host, command(argv), swap).catch((error: unknown) => {
    const { cause } = error as { readonly cause?: unknown };
    const isObstructed = cause instanceof CommandError && cause.exit.code === OBSTRUCTED;
    if (!(isObstructed && error instanceof UserError)) throw error;
    throw new ObstructedSwapError(error.message, error.hint, { cause });
  });
}

/** Takes `swapFolders` back, however far it came. Does nothing where that has not happened. */
export async function swapFoldersBack({ host, command }: Shell, swap: FolderSwap): Promise<void> {
  const script = `new=$1 current=$2 old=$3
    [ -z "$old" ] || [ -e "$old" ] || exit 0
    if [ ! -e "$new" ] && [ -e "$current" ]; then mv -T -- "$current" "$new" || exit; fi
    [ -z "$old" ] || { mv -T -- "$old" "$current" && rm -f -- "$old.note"; }`;
  await rename(host, command(['sh', '-c', script, 'sh', swap.new, swap.current, swap.old ?? '']), swap);
}

async function rename(host: Host, command: Command, { current }: FolderSwap): Promise<void> {
  await run(host, command).catch(
    explaining(({ exit }) => [
      `filestore: ${current} on ${host.label} could not be renamed: ${exit.stderr}`,
      `Look at what is in ${dirname(current)}: a mount cannot be renamed, nor a folder in one that its account may not write.`,
    ]),
  );
}

/** Removes a folder that a restore has made. Does nothing when it is not there. */
export async function removeDerivedFolder({ host, command }: Shell, path: string): Promise<void> {
  const silly = !path.startsWith('/') || path.split('/').includes('..') || !isDerivedName(basename(path));
  if (silly) throw new TypeError(`Not a folder that a restore makes: ${path}`);
  await run(host, command(['rm', '-rf', '--one-file-system', '--', path, noteOf(path)])).catch(
    explaining(({ exit }) => [
      `filestore: ${path} on ${host.label} could not be removed: ${exit.stderr}`,
      'Remove it by hand, as an account that may.',
    ]),
  );
}

/** A folder that this run, or an earlier one that was killed, has made beside the filestore. */
export interface DerivedFolder {
  readonly path: string;
  readonly derivation: Derivation;
  /** Time of that run: YYYYMMDDHHMMSS, UTC. */
  readonly timestamp: string;
  /** What is noted of it; null: nothing. */
  readonly note: string | null;
}

/** The folders that restores have left beside a filestore, the oldest first. */
export async function listDerivedFolders({ host, path, command }: OwnedFolder): Promise<DerivedFolder[]> {
  const parent = dirname(path);
  const script = `[ -d "$1" ] || exit 0
    find "$1/" -mindepth 1 -maxdepth 1 -type d -printf "%f\\0"
    for note in "$1"/*.note; do
      [ -f "$note" ] && printf "%s\\n" "\${note##*/}" && head -c 300 -- "$note" && printf "\\0"
    done; :`;
  const found = (await run(host, command(['sh', '-c', script, 'sh', parent]))).split('\0');
  const notes = new Map(found.map((each) => [each.split('\n', 1)[0], each.slice(each.indexOf('\n') + 1)]));
  return found
    .flatMap((name) => {
      const parsed = parseDerivedName(name, basename(path));
      return parsed ? [{ path: `${parent}/${name}`, ...parsed, note: notes.get(noteOf(name)) ?? null }] : [];
    })
    .toSorted((a, b) => a.timestamp.localeCompare(b.timestamp));
}

/** Timestamps in the names of the folders that rehearsals have made beside a filestore. */
export async function listRehearsalFolders({ host, path, command }: OwnedFolder): Promise<string[]> {
  const script =
    '[ ! -d "$1" ] || exec find "$1/" -mindepth 1 -maxdepth 1 -type d -name "*__rehearsal_*" -printf "%f\\0"';
  const found = await run(host, command(['sh', '-c', script, 'sh', dirname(path)]));
  return found.split('\0').flatMap((name) => temporaryTimestamp(name, basename(path), 'rehearsal') ?? []);
}

/** Notes something of a folder that a restore has replaced, in a file beside it. */
export async function noteFolder({ host, command }: Shell, path: string, note: string): Promise<void> {
  await run(host, command(['sh', '-c', 'printf %s "$2" >"$1"', 'sh', noteOf(path), note]));
}

/** Bytes that are free once a folder is gone: files that another folder has as well take no space of its own. */
export async function ownBytes({ host, command }: Shell, path: string): Promise<number> {
  const script = `find "$1" -type f -links 1 -printf "%s\\n" | awk '{ sum += $1 } END { printf "%.0f", sum }'`;
  return Number(await run(host, command(['sh', '-c', script, 'sh', path])));
}
