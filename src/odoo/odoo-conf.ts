import type { Accounts } from '../host/accounts.ts';
import type { Host } from '../host/host.ts';
import { run } from '../host/run.ts';
import { inOrder } from '../util/begun.ts';
import { isPrintable } from '../util/controls.ts';
import { UserError } from '../util/errors.ts';
import { optionsOf } from './raw-config.ts';

/** What this project reads of an odoo.conf. `False`, `None` and empty values are left out. */
export interface OdooConf {
  readonly dbHost?: string;
  readonly dbPort?: number;
  readonly dbUser?: string;
  readonly dbPassword?: string;
  readonly dbSslmode?: string;
  /** One name, or several: Odoo takes a comma-separated list. */
  readonly dbNames: readonly string[];
  readonly dataDir?: string;
  /** Folders of addons, in order. */
  readonly addonsPath: readonly string[];
  /** Where Odoo's HTTP server listens; before Odoo 11 the options were called `xmlrpc_…`. */
  readonly httpInterface?: string;
  readonly httpPort?: number;
}

/** An odoo.conf found on the host. */
export interface OdooConfFile extends OdooConf {
  readonly path: string;
  /** The account that owns it: Odoo's own, unless it is root. */
  readonly owner: string;
}

/** Where Odoo's packages and guides put the file. */
const USUAL_PATHS = [
  '/etc/odoo/odoo.conf',
  '/etc/odoo.conf',
  '/etc/odoo/odoo-server.conf',
  '/etc/odoo-server.conf',
];

/**
 * Reads an odoo.conf as Odoo does.
 *
 * @throws UserError for a value of several lines: it names the option and not the value, in which a password may be
 */
export function parseOdooConf(text: string): OdooConf {
  const options = optionsOf(text);
  const value = (name: string): string | undefined => {
    const raw = options.get(name)?.trim();
    if (raw === undefined || /^(|false|none)$/i.test(raw)) return undefined;
    if (name !== 'db_name') assertOneLine(name, raw);
    return raw;
  };
  const port = (name: string): number | undefined => {
    const number = Number(value(name));
    return Number.isInteger(number) && number > 0 ? number : undefined;
  };
  const dbNames = (value('db_name') ?? '').split(',').map((name) => name.trim());
  for (const name of dbNames) assertOneLine('db_name', name);
  return {
    dbHost: value('db_host'),
    dbPort: port('db_port'),
    dbUser: value('db_user'),
    dbPassword: value('db_password'),
    dbSslmode: value('db_sslmode'),
    dbNames: dbNames.filter((name) => name !== ''),
    dataDir: value('data_dir'),
    addonsPath: listed(options.get('addons_path')),
    httpInterface: value('http_interface') ?? value('xmlrpc_interface'),
    httpPort: port('http_port') ?? port('xmlrpc_port'),
  };
}

/** A list may have several lines: Odoo splits it at its commas alone. */
const listed = (value = ''): string[] =>
  /^(|false|none)$/i.test(value.trim())
    ? []
    : value.split(',').flatMap((each) => (isPrintable(each.trim()) && each.trim()) || []);

function assertOneLine(option: string, value: string): void {
  // Control characters except the tab.
  if (!/[^\P{Cc}\t]/u.test(value)) return;
  throw new UserError(
    `odoo.conf: the value of ${option} has several lines, or a control character in it`,
    'Odoo takes a line that is indented more than the option above it for a part of that value. Let every option begin in the first column.',
  );
}

/**
 * Finds and reads the odoo.conf: the given path, else the usual ones. The file is often 0640 and owned by
 * Odoo's account, so where the login account may not read it, its owner, `odoo` and root are tried by sudo.
 *
 * @returns undefined when no path was given and none of the usual ones is there
 * @throws UserError when the given path cannot be read
 */
export async function findOdooConf(
  host: Host,
  accounts: Accounts,
  path: string | undefined,
): Promise<OdooConfFile | undefined> {
  const paths = path === undefined ? USUAL_PATHS : [path];
  const script = `for f do
    [ -f "$f" ] && [ -r "$f" ] || continue
    printf '%s\\n%s\\n' "$f" "$(stat -Lc %U -- "$f")"; exec cat -- "$f"
  done; exit 3`;
  const command = { argv: ['sh', '-c', script, 'sh', ...paths] };
  const whose = 'for f do stat -Lc %U -- "$f" 2>/dev/null; done; :';
  // Mostly the login account may read it, if it is to be tried first.
  const [owners, byLogin] = await inOrder(
    run(host, { argv: ['sh', '-c', whose, 'sh', ...paths] }),
    accounts.isLoginFirst ? accounts.firstAble([], command) : Promise.resolve(undefined),
  );
  const reader =
    byLogin ?? (await accounts.firstAble([...owners.split('\n').filter(Boolean), 'odoo', 'root'], command));
  if (reader) {
    const [found = '', owner = '', ...lines] = reader.stdout.split('\n');
    return { path: found, owner, ...parseOdooConf(lines.join('\n')) };
  }
  if (path === undefined && owners.trim() === '') return undefined;
  throw new UserError(
    owners.trim() === ''
      ? `odoo-conf: ${path} is not on ${host.label}, or lies in a folder that ${host.user} may not enter`
      : `odoo-conf: ${path ?? 'the odoo.conf'} is on ${host.label}, but ${host.user} may not read it`,
    `Check the path given as odoo-conf. ${accounts.sudoersHint(['odoo'])}`,
  );
}
