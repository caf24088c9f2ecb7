import type { Accounts } from '../../host/accounts.ts';
import { CommandError, type Host } from '../../host/host.ts';
import { run } from '../../host/run.ts';
import { type Checkout, decodeCheckout, MOST, withoutPassword } from './code.ts';
import { GIT_FUNCTIONS } from './git-script.ts';

/** Checkouts of a machine, and the folders that no usable account may look at. */
export interface FoundCheckouts {
  readonly checkouts: readonly Checkout[];
  readonly unseen: readonly string[];
}

/** For each folder: itself, then the checkout in which it lies, or nothing where it may not be seen. */
const FIND = `${GIT_FUNCTIONS}
home=$(getent passwd -- "$1" 2>/dev/null | cut -d: -f6)
shift
for given do
  folder=$given
  case $folder in '~'|'~/'*) folder=$home\${folder#'~'};; esac
  case $folder in /*) ;; *) continue;; esac
  checkout "$folder"
  case $? in 0) ;; 2) printf '%s\\0\\0\\0\\0\\0\\0' "$given"; continue;; *) continue;; esac
  head_of || continue
  remote= state=
  if may_ask; then
    remote=$(safely config --file "$common/config" --no-includes --get remote.origin.url 2>/dev/null)
    if changes=$(safely status --porcelain --untracked-files=no --ignore-submodules=all 2>/dev/null); then
      state=clean; [ -z "$changes" ] || state=dirty
    fi
  fi
  printf '%s\\0%s\\0%s\\0%s\\0%s\\0%s\\0' "$given" "$top" "$ref" "$commit" "$remote" "$state"
done`;

const FIELDS = 6;
/** 60 checkouts with the longest of names take less. */
const MOST_BYTES = 1024 * 1024;

/**
 * Finds the checkouts that folders lie in, each once, by read-only commands: as the account that logged in, else as the
 * owner of a folder, or as Odoo's.
 *
 * @param owner the account whose home `~` means
 */
export async function findCheckouts(
  host: Host,
  accounts: Accounts,
  folders: readonly string[],
  owner: string,
): Promise<FoundCheckouts> {
  const found = new Map<string, Checkout>();
  let left = [...new Set(folders)].slice(0, MOST);
  for (const as of await readers(host, accounts, left, owner)) {
    if (left.length === 0) break;
    const argv = ['sh', '-c', FIND, 'sh', owner, ...left];
    const fields = (await run(host, { argv, as }, { maxBytes: MOST_BYTES })).split('\0');
    const unseen: string[] = [];
    for (let at = 0; at + FIELDS <= fields.length; at += FIELDS) {
      const [given = '', path = '', ref = '', commit = '', remote = '', state = ''] = fields.slice(
        at,
        at + FIELDS,
      );
      if (path === '') unseen.push(given);
      else keep(found, { path, ref, commit, remote, state });
    }
    left = left.filter((folder) => unseen.includes(folder));
  }
  return { checkouts: [...found.values()], unseen: left };
}

/** The accounts to look as: not root, where there is another way. */
async function readers(
  host: Host,
  accounts: Accounts,
  folders: readonly string[],
  owner: string,
): Promise<(string | undefined)[]> {
  if (folders.length === 0) return [];
  const whose = 'for f do stat -Lc %U -- "$f" 2>/dev/null; done; :';
  const owners = (await run(host, { argv: ['sh', '-c', whose, 'sh', ...folders] }))
    .split('\n')
    .filter(Boolean);
  const candidates = [...owners, owner, 'odoo'].filter((each) => each !== 'root' && each !== 'UNKNOWN');
  const usable = await Array.fromAsync(accounts.usable(candidates));
  return host.user === 'root'
    ? usable.toSorted((a, b) => Number(a === undefined) - Number(b === undefined))
    : usable;
}

interface ToldCheckout {
  readonly path: string;
  readonly ref: string;
  readonly commit: string;
  readonly remote: string;
  readonly state: string;
}

/** What the host tells is decoded as what the bucket does: what has another shape is left out. */
function keep(found: Map<string, Checkout>, { path, ref, commit, remote, state }: ToldCheckout): void {
  const checkout = {
    path,
    commit,
    branch: fitting('branch', ref.startsWith('refs/heads/') ? ref.slice('refs/heads/'.length) : undefined),
    remote: fitting('remote', remote === '' ? undefined : withoutPassword(remote)),
    dirty: state === '' ? undefined : state === 'dirty',
  };
  try {
    found.set(path, decodeCheckout(checkout, 'checkout'));
  } catch {
    // Not a path, or a commit, that a receipt could hold.
  }
}

/** A field that a receipt could not hold is left out. */
function fitting(name: 'branch' | 'remote', value: string | undefined): string | undefined {
  try {
    return decodeCheckout({ path: '/x', commit: '0'.repeat(40), [name]: value }, 'checkout')[name];
  } catch {
    return undefined;
  }
}

/** How two commits of a checkout stand to each other. */
export interface History {
  /** Commits that only `then` has, and that only `now` has. */
  readonly onlyThen: number;
  readonly onlyNow: number;
}

const COUNT = `${GIT_FUNCTIONS}
checkout "$1" && head_of && may_ask || exit
safely rev-list --left-right --count "$2...$3" --`;

/** Compares two commits of a checkout; undefined where it does not know them both, or nobody may ask. */
export async function historyOf(
  host: Host,
  accounts: Accounts,
  { path, commit: now }: Checkout,
  then: string,
): Promise<History | undefined> {
  for (const as of await readers(host, accounts, [path], 'odoo')) {
    try {
      const told = await run(host, { argv: ['sh', '-c', COUNT, 'sh', path, then, now], as });
      const [, onlyThen, onlyNow] = /^(\d{1,9})\s+(\d{1,9})\n$/.exec(told) ?? [];
      if (onlyThen !== undefined) return { onlyThen: Number(onlyThen), onlyNow: Number(onlyNow) };
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
    }
  }
  return undefined;
}
