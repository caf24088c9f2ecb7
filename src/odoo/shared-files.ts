import type { Folder } from '../host/folder.ts';
import { run } from '../host/run.ts';

/** A time of the host's clock, in seconds since 1970. */
export const hostTime = async ({ host, command }: Folder): Promise<string> =>
  (await run(host, command(['date', '+%s.%N']))).trim();

/** Files in the message: the rest is a number. */
const MOST_NAMED = 5;

/** Files that a folder shares with another one, and that are not what their names say any more. */
export interface Overwritten {
  readonly count: number;
  /** The first of them: `ab/ab3f…`. */
  readonly names: readonly string[];
}

/**
 * Looks for files that somebody has written into since a time, or has taken from their owner, among those that a copy of a
 * filestore has in common with that filestore: they are hard links, so what was done is done to both. Odoo never does that.
 * Read only.
 *
 * @param since as `hostTime` gives it
 * @throws CommandError when the folder cannot be looked at
 */
export async function overwrittenIn({ host, path, command }: Folder, since: string): Promise<Overwritten> {
  // A new link, or one that goes, counts as a change of the file: so its content is what decides.
  const script = `cd -- "$1" || exit
    changed() {
      find . -regextype posix-extended -regex '\\./[0-9a-f]{2,3}/[0-9a-f]{40}' -type f -links +1 -newerct "@$since" "$@"
    }
    since=$2 owner=$(stat -c %u .)
    {
      changed '(' ! -perm -u=r -o ! -uid "$owner" ')' -printf 'taken ./%P\\n'
      changed -perm -u=r -uid "$owner" -print0 | xargs -0 -r sha1sum --
    } | awk '
        { split($2, part, "/"); if (part[3] != $1 && n++ < ${MOST_NAMED}) print part[2] "/" part[3] }
        END { print n + 0 }'`;
  const lines = (await run(host, command(['sh', '-c', script, 'sh', path, since]))).trimEnd().split('\n');
  return {
    count: Number(lines.pop()) || 0,
    names: lines.filter((name) => /^[\da-f]+\/[\da-f]+$/.test(name)),
  };
}
