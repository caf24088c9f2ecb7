import { basename, dirname } from 'node:path/posix';
import { type Command, CommandError, type Host } from '../host/host.ts';
import type { OwnedFolder } from '../host/owned-folder.ts';
import type { Place } from '../host/receive-files.ts';
import { run } from '../host/run.ts';
import { type Derivation, isDerivedName, parseDerivedName } from '../postgres/derived-names.ts';
import { UserError } from '../util/errors.ts';

/** The paths of a swap of folders. */
export interface FolderSwap {
  /** The path that Odoo uses. */
  readonly current: string;
  /** For what is there so far; undefined: nothing is. */
  readonly old: string | undefined;
  readonly new: string;
}

/**
 * Gives the new folder the path, by renames in one script on the host: when the second fails, it takes the first
 * back, and when the connection goes, it still ends.
 *
 * @throws UserError when it failed; everything is where it was then
 */
export async function swapFolders({ host, command }: Place, swap: FolderSwap): Promise<void> {
  const script = `new=$1 current=$2 old=$3
    [ -d "$new" ] || { echo "$new is not there" >&2; exit 1; }
    if [ -z "$old" ]; then
      [ ! -e "$current" ] || { echo "$current is there already" >&2; exit 1; }
      exec mv -T -- "$new" "$current"
    fi
    [ ! -e "$old" ] || { echo "$old is there already" >&2; exit 1; }
    mv -T -- "$current" "$old" || exit
    mv -T -- "$new" "$current" && exit
    mv -T -- "$old" "$current"; exit 1`;
  await rename(host, command(['sh', '-c', script, 'sh', swap.new, swap.current, swap.old ?? '']), swap);
}

/** Takes `swapFolders` back, however far it came. Does nothing where that has not happened. */
export async function swapFoldersBack({ host, command }: Place, swap: FolderSwap): Promise<void> {
  const script = `new=$1 current=$2 old=$3
    [ -z "$old" ] || [ -e "$old" ] || exit 0
    if [ ! -e "$new" ] && [ -e "$current" ]; then mv -T -- "$current" "$new" || exit; fi
    [ -z "$old" ] || mv -T -- "$old" "$current"`;
  await rename(host, command(['sh', '-c', script, 'sh', swap.new, swap.current, swap.old ?? '']), swap);
}

async function rename(host: Host, command: Command, { current }: FolderSwap): Promise<void> {
  try {
    await run(host, command);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new UserError(
      `filestore: ${current} on ${host.label} could not be renamed: ${error.exit.stderr}`,
      `Look at what is in ${dirname(current)}: a mount cannot be renamed, nor a folder in one that its account may not write.`,
      { cause: error },
    );
  }
}

/** Removes a folder that a restore has made. Does nothing when it is not there. */
export async function removeDerivedFolder({ host, command }: Place, path: string): Promise<void> {
  const silly = !path.startsWith('/') || path.split('/').includes('..') || !isDerivedName(basename(path));
  if (silly) throw new TypeError(`Not a folder that a restore makes: ${path}`);
  try {
    await run(host, command(['rm', '-rf', '--one-file-system', '--', path]));
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new UserError(
      `filestore: ${path} on ${host.label} could not be removed: ${error.exit.stderr}`,
      'Remove it by hand, as an account that may.',
      { cause: error },
    );
  }
}

/** A folder that this run, or an earlier one that was killed, has made beside the filestore. */
export interface DerivedFolder {
  readonly path: string;
  readonly derivation: Derivation;
  /** Of that run: YYYYMMDDHHMMSS, UTC. */
  readonly timestamp: string;
}

/** The folders that restores have left beside a filestore, the oldest first. */
export async function listDerivedFolders({ host, path, command }: OwnedFolder): Promise<DerivedFolder[]> {
  const parent = dirname(path);
  const script = '[ -d "$1" ] || exit 0; find "$1/" -mindepth 1 -maxdepth 1 -type d -printf "%f\\0"';
  const names = await run(host, command(['sh', '-c', script, 'sh', parent]));
  return names
    .split('\0')
    .flatMap((name) => {
      const parsed = parseDerivedName(name, basename(path));
      return parsed ? [{ path: `${parent}/${name}`, ...parsed }] : [];
    })
    .toSorted((a, b) => a.timestamp.localeCompare(b.timestamp));
}
