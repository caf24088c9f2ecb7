import { UserError } from '../errors.ts';
import type { Accounts } from './accounts.ts';
import type { Host } from './host.ts';
import type { Place } from './receive-files.ts';

/** A folder of Odoo's on the host. Its commands run as the account that owns it, and make files as Odoo does. */
export interface OwnedFolder extends Place {
  /** Without symbolic links. */
  readonly path: string;
  /** The account that owns it, or the next folder above that is there. */
  readonly owner: string;
  /** false: it is not there yet. */
  readonly exists: boolean;
}

/**
 * Finds out whom a filestore belongs to, and how to act as that account: as the login account itself, by sudo, or by
 * root. When it is not there, the next folder above it counts.
 *
 * @param readers accounts to try after the login account, to look at it
 * @throws UserError when none of these ways is open
 */
export async function actAsOwner(
  host: Host,
  accounts: Accounts,
  folder: string,
  readers: readonly string[],
): Promise<OwnedFolder> {
  const seen = await look(accounts, folder, readers);
  if (!seen) {
    throw new UserError(
      `filestore: ${host.user} may not look at ${folder} on ${host.label}`,
      accounts.sudoersHint(readers),
    );
  }
  const { path, there, owner, uid, gid, mode } = seen;
  const exists = there === path;
  if (!exists && uid === '0') {
    throw new UserError(
      `filestore: there is no folder for ${folder} on ${host.label}; ${there} belongs to root`,
      'Create the data_dir of odoo.conf for the account of Odoo, or set the input filestore to the right path.',
    );
  }
  const account = owner === 'UNKNOWN' ? `#${uid}` : owner;
  // What Odoo has made shows which umask it has.
  const umask = (0o777 & ~Number.parseInt(mode, 8)).toString(8);
  const inUmask = ['sh', '-c', 'umask "$1"; shift; exec "$@"', 'sh', umask];
  const asOwnerByRoot = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--', ...inUmask];
  for await (const as of accounts.usable([account, 'root'])) {
    const self = as ?? host.user;
    if (self !== account && self !== 'root') continue;
    const prefix = self === account ? inUmask : asOwnerByRoot;
    return { host, path, owner: account, exists, command: (argv) => ({ argv: [...prefix, ...argv], as }) };
  }
  throw new UserError(
    `filestore: ${path} belongs to ${account}, and ${host.user} may not act as that account`,
    accounts.sudoersHint([account]),
  );
}

async function look(accounts: Accounts, folder: string, readers: readonly string[]) {
  // A folder that nobody may enter hides what is in it: then somebody else has to look.
  const script = `real=$(readlink -m -- "$1") && there=$real
    while [ ! -d "$there" ]; do
      above=$(dirname -- "$there"); [ ! -d "$above" ] || [ -x "$above" ] || exit 3; there=$above
    done
    printf '%s\\0%s\\0%s' "$real" "$there" "$(stat -c '%U %u %g %a' -- "$there")"`;
  const seen = await accounts.firstAble(readers, { argv: ['sh', '-c', script, 'sh', folder] });
  if (!seen) return undefined;
  const [path = '', there = '', rest = ''] = seen.stdout.split('\0');
  const [owner = '', uid = '', gid = '', mode = ''] = rest.trim().split(' ');
  return { path, there, owner, uid, gid, mode };
}
