import { basename, dirname } from 'node:path/posix';
import { UserError } from '../util/errors.ts';
import type { Accounts } from './accounts.ts';
import type { Folder } from './folder.ts';
import type { Host } from './host.ts';
import { run, succeeds } from './run.ts';

/** A folder of Odoo's on the host. Its commands run as the account that owns it, and make files as Odoo does. */
export interface OwnedFolder extends Folder {
  /** Without symbolic links. */
  readonly path: string;
  /** The account that owns it, or the next folder above that is there. */
  readonly owner: string;
  /** false: it is not there yet. */
  readonly exists: boolean;
}

/** A folder as it was seen on the host. */
export interface SeenFolder extends Pick<OwnedFolder, 'path' | 'owner' | 'exists'> {
  /** The folder that is there: this one, or the next above. */
  readonly there: string;
  readonly uid: string;
  readonly gid: string;
  /** Permission bits of that folder, in octal digits. */
  readonly mode: string;
  /** The account that looked, for `Command.as`. */
  readonly by: string | undefined;
  /** Whether that account may enter the folder that holds the filestore. */
  readonly enters: boolean;
}

/**
 * Finds out whom a filestore belongs to, and how to act as that account: as the login account itself, by sudo, or by
 * root. When it is not there, the next folder above it counts.
 *
 * @param readers accounts to try after the login account, to look at it
 * @throws UserError when none of these ways is open, or the folder is not to be trusted (see `seeFolder`)
 */
export async function actAsOwner(
  host: Host,
  accounts: Accounts,
  folder: string,
  readers: readonly string[],
): Promise<OwnedFolder> {
  const seen = await seeFolder(host, accounts, folder, readers);
  if (!seen) {
    throw new UserError(
      `filestore: ${host.user} may not look at ${folder} on ${host.label}`,
      accounts.sudoersHint(readers),
    );
  }
  const { path, there, owner, uid, exists } = seen;
  if (!exists && uid === '0') {
    throw new UserError(
      `filestore: there is no folder for ${folder} on ${host.label}; ${there} belongs to root`,
      'Create the data_dir of odoo.conf for the account of Odoo, or set the input filestore to the right path.',
    );
  }
  const owned = await asOwner(host, accounts, seen);
  if (owned) return owned;
  if (await accounts.firstAble([owner], { argv: ['sh', '-c', '[ "$(id -u)" = "$1" ]', 'sh', uid] })) {
    throw new UserError(
      `filestore: ${path} belongs to ${owner}, and that account cannot enter ${baseOf(seen)}, in which it is`,
      `Let that account enter it (chmod o+x on each folder above), or let root open it. ${accounts.sudoersHint(['root'])}`,
    );
  }
  throw new UserError(
    `filestore: ${path} belongs to ${owner}, and ${host.user} may not act as that account`,
    accounts.sudoersHint([owner]),
  );
}

/** The folder with a way to act as its owner; undefined: there is none. */
export async function asOwner(
  host: Host,
  accounts: Accounts,
  seen: SeenFolder,
): Promise<OwnedFolder | undefined> {
  const { path, owner, exists, mode } = seen;
  const base = baseOf(seen);
  // What Odoo has made shows which umask it has.
  const umask = (0o777 & ~Number.parseInt(mode, 8)).toString(8);
  const inUmask = ['sh', '-c', 'umask "$1"; shift; exec "$@"', 'sh', umask];
  for await (const as of accounts.usable([owner, 'root'])) {
    const self = as ?? host.user;
    const ways: Folder['command'][] = [];
    if (self === owner) ways.push((argv) => ({ argv: [...inUmask, ...argv], as }));
    else if (self === 'root') {
      const setpriv = ['setpriv', ...ownerOptions(seen), ...inUmask];
      ways.push((argv) => ({ argv: [...setpriv, ...argv], as }));
      ways.push((argv) => ({ argv: [...openedByRoot(seen), ...inUmask, ...argv.map(below(base))], as }));
    }
    // Who looked as the owner has tried it already.
    const isTried = self === owner && as === seen.by && seen.enters;
    for (const command of ways) {
      if (isTried || (await succeeds(host, command(['sh', '-c', 'cd -- "$1"', 'sh', base]))))
        return { host, path, owner, exists, command };
    }
  }
  return undefined;
}

/** The folder that holds the filestore, and what a restore puts beside it. */
const baseOf = ({ path, exists, there }: SeenFolder): string => (exists ? dirname(path) : there);

const BASE_FD = 9;
/** The folder that root has opened, for every process that has inherited it. */
const OPENED = `/proc/self/fd/${BASE_FD}`;

/**
 * Words that run a command as the owner, with the base folder opened by root: the owner need not get to it by its path,
 * for volumes of Docker lie in folders that only root may enter. Compared with the path that was looked at, for
 * somebody might have put a link there since.
 */
function openedByRoot(seen: SeenFolder): string[] {
  const script = `base=$1; shift
    { [ "$(readlink ${OPENED})" = "$base" ] || { echo "$base is another folder now" >&2; exit 1; }
      exec setpriv "$@"; } ${BASE_FD}<"$base"`;
  return ['sh', '-c', script, 'sh', baseOf(seen), ...ownerOptions(seen)];
}

/** Options of setpriv. */
const ownerOptions = ({ uid, gid }: SeenFolder): string[] => [
  `--reuid=${uid}`,
  `--regid=${gid}`,
  '--clear-groups',
  '--',
];

/** Words that are paths in the base folder, as ones that start from where it was opened. */
const below =
  (base: string) =>
  (word: string): string => {
    if (word === base) return OPENED;
    return word.startsWith(`${base}/`) ? OPENED + word.slice(base.length) : word;
  };

/**
 * Walks to a folder, and refuses one that somebody may have put there to have others act upon it. The account that runs
 * Odoo can put a symbolic link into its folders; so a link leads only to what its own account owns, unless root made it
 * (the rule of Apache's SymLinksIfOwnerMatch), or the account that logged in.
 *
 * @returns undefined when no usable account may look
 * @throws UserError when a link leads to a folder of somebody else, or the folder is not Odoo's
 */
export async function seeFolder(
  host: Host,
  accounts: Accounts,
  folder: string,
  readers: readonly string[],
): Promise<SeenFolder | undefined> {
  const answer = await accounts.firstAble(readers, { argv: ['sh', '-c', WALK, 'sh', folder] });
  if (!answer) return undefined;
  const [path = '', there = '', stats = '', parent = '', links = '', enters = ''] = answer.stdout.split('\0');
  if (path === '') {
    throw new UserError(
      `filestore: ${folder} on ${host.label} is a symbolic link that refers to itself`,
      'Let the link lead to the folder, or set the input filestore to where it is.',
    );
  }
  const [name = '', uid = '', gid = '', mode = ''] = stats.split(' ');
  const owner = name === 'UNKNOWN' ? `#${uid}` : name;
  const isTrusted = (account: string): boolean => {
    const [id, ...rest] = account.split(':');
    return id === '0' || id === uid || rest.join(':') === host.user;
  };
  const stranger = links.split(' ').find((each) => each !== '' && !isTrusted(each));
  if (stranger !== undefined) {
    throw new UserError(
      `filestore: ${folder} on ${host.label} is reached by a symbolic link that belongs to ${nameIn(stranger)}, and leads to ${there}, which belongs to ${owner}`,
      'A link is followed only if root or the owner of the folder made it. Let root make the link, or give the folder to the account that runs Odoo.',
    );
  }
  const exists = there === path;
  const seen = { path, there, exists, owner, uid, gid, mode, by: answer.as, enters: enters !== '' };
  if (seen.exists) {
    if (basename(dirname(folder)) === 'filestore' && !isTrusted(parent)) {
      throw new UserError(
        `filestore: ${path} on ${host.label} belongs to ${owner}, and the folder that it is in to ${nameIn(parent)}`,
        `Give it to the account that runs Odoo: chown -R ${nameIn(parent)}: ${path}`,
      );
    }
    if (uid === '0') await assertOdooIsRoot(host, accounts, path);
  }
  return seen;
}

/** The account's name in `1000:odoo`. */
const nameIn = (account: string): string => account.slice(account.indexOf(':') + 1);

/**
 * Shell. Prints without symbolic links the path that was asked for, the folder of it that is there, the owner of that
 * (name, numbers, mode), the owner of the folder that was said to hold it, the owners of the links on the way, and
 * something where the folder that holds it (see `baseOf`) may be entered. Prints no path when the links lead nowhere, and fails where it may not look.
 */
const WALK = `at= rest=$1 links= hops=0
  while [ -n "$rest" ]; do
    name=\${rest%%/*}
    case $rest in */*) rest=\${rest#*/} ;; *) rest= ;; esac
    case $name in '' | .) continue ;; ..) at=\${at%/*}; continue ;; esac
    [ ! -d "\${at:-/}" ] || [ -x "\${at:-/}" ] || exit 3
    if [ -L "$at/$name" ]; then
      hops=$((hops + 1)); [ $hops -le 40 ] || exit 0
      to=$(readlink -n -- "$at/$name" && echo /) && owner=$(stat -c '%u:%U' -- "$at/$name") || exit 3
      links="$links $owner"
      case $to in /*) at= ;; esac
      rest=$to$rest
    else at=$at/$name
    fi
  done
  path=\${at:-/} there=\${at:-/}
  until [ -d "$there" ]; do there=\${there%/*}; there=\${there:-/}; done
  base=$there; [ "$there" != "$path" ] || base=$(dirname -- "$path")
  printf '%s\\0%s\\0%s\\0%s\\0%s\\0%s' "$path" "$there" "$(stat -c '%U %u %g %a' -- "$there")" \\
    "$(stat -L -c '%u:%U' -- "$(dirname -- "$1")" 2>/dev/null)" "$links" \\
    "$(cd -- "$base" 2>/dev/null && echo enters)"`;

/** The command line of Odoo's server, whatever Python runs it. */
const ODOO_SERVER =
  /^(\S*python[\d.]*\s+(-\S+\s+)*)?(\S*\/)?(odoo|odoo-bin|odoo\.py|odoo-server|openerp-server)(\s|$)/m;

/**
 * Root acts upon a folder only where nobody else can have put anything there: Odoo itself runs as root, as in some
 * containers, and no other account has a part of the folder.
 */
async function assertOdooIsRoot(host: Host, accounts: Accounts, path: string): Promise<void> {
  const refuse = (why: string): never => {
    throw new UserError(
      `filestore: ${path} on ${host.label} belongs to root, ${why}`,
      'Give the whole folder to the account that runs Odoo (chown -R): Odoo cannot write to it either.',
    );
  };
  // Inside of a container that is all there is; `enclose` tells one.
  if (host.enclose === undefined) {
    const script = 'ps -U 0 -o args= 2>/dev/null; :';
    if (!ODOO_SERVER.test(await run(host, { argv: ['sh', '-c', script] })))
      refuse('and no Odoo runs as root');
  }
  const others = `cd -- "$1" && exec find . '(' ! -uid 0 -o -type d '(' -perm /002 -o -perm /020 ! -gid 0 ')' ')' -print -quit`;
  const found = await accounts.firstAble(['root'], { argv: ['sh', '-c', others, 'sh', path] });
  if (found && found.stdout !== '') refuse('but other accounts may write to parts of it');
}
