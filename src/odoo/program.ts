import type { Accounts } from '../host/accounts.ts';
import { type Command, CommandError, type Host } from '../host/host.ts';
import { run } from '../host/run.ts';
import type { OdooConfFile } from './odoo-conf.ts';

/** The program `odoo` of a host. */
export interface OdooProgram extends Pick<Command, 'env' | 'secretEnv'> {
  readonly host: Host;
  /** `/usr/bin/odoo`; with its interpreter, where the unit starts it so. */
  readonly argv: readonly string[];
  /** The account that may run it and read its configuration, for `Command.as`. */
  readonly as: string | undefined;
  readonly conf: string | undefined;
}

/**
 * Finds a program that knows `neutralize` (Odoo 16 and newer): on PATH, or in what a systemd unit starts. Read only.
 *
 * @param units of systemd; may be empty
 * @returns undefined if the host has no such program
 */
export async function findOdooProgram(
  host: Host,
  accounts: Accounts,
  units: readonly string[],
  conf: OdooConfFile | undefined,
): Promise<OdooProgram | undefined> {
  const script = `command -v odoo || command -v odoo-bin
    ${UNITS}`;
  for (const argv of await candidates(host, script, units)) {
    for (const as of await runners(accounts, conf)) {
      const knows = await answerAs(host, [...argv, 'neutralize', '--help'], as, conf);
      if (knows !== undefined) return { host, argv, as, conf: conf?.path };
    }
  }
  return undefined;
}

/** What leads to the program of a server. */
export interface ServerClues {
  /** Units of systemd that may run it. */
  readonly units: readonly string[];
  readonly conf: OdooConfFile | undefined;
  /** Accounts that may be Odoo's own, the likeliest first. */
  readonly owners: readonly string[];
}

/** The program of an Odoo server, of any version. */
export interface OdooServerProgram extends OdooProgram {
  /** Major version: 19. */
  readonly major: number;
}

/**
 * Finds the program that runs Odoo's server: what a systemd unit starts, or else one on PATH, by the names that it has had
 * since version 8. Read only.
 *
 * @returns undefined if the host has no such program
 */
export async function findOdooServer(
  host: Host,
  accounts: Accounts,
  { units, conf, owners }: ServerClues,
): Promise<OdooServerProgram | undefined> {
  const script = `${UNITS}
    for name in odoo odoo-bin odoo-server odoo.py openerp-server; do command -v "$name"; done; :`;
  for (const argv of await candidates(host, script, units)) {
    for (const as of await accountsOf(accounts, owners)) {
      const said = await answerAs(host, [...argv, '--version'], as, conf);
      const major = said === undefined ? undefined : majorIn(said);
      if (major !== undefined) return { host, argv, as, conf: conf?.path, major };
    }
  }
  return undefined;
}

/** Shell: what systemd units start, a line each. */
const UNITS = 'for unit do systemctl show --property=ExecStart --value -- "$unit" 2>/dev/null; done; :';

/** `Odoo Server 17.0-20240101`, `Odoo Server saas~17.2+e`, `OpenERP Server 7.0` */
export function majorIn(text: string): number | undefined {
  const major = /^(?:Odoo|OpenERP) Server (?:saas[~-])?(\d{1,3})(?!\d)/m.exec(text)?.[1];
  return major === undefined ? undefined : Number(major);
}

/** Words that start a program, for each line that the script prints. */
async function candidates(host: Host, script: string, units: readonly string[]): Promise<string[][]> {
  const found = await run(host, { argv: ['sh', '-c', script, 'sh', ...units] });
  return found
    .split('\n')
    .filter(Boolean)
    .flatMap((line) => {
      const argv = line.startsWith('{') ? programOfUnit(line) : [line];
      return argv ? [argv] : [];
    });
}

const runners = (accounts: Accounts, conf: OdooConfFile | undefined): Promise<(string | undefined)[]> =>
  accountsOf(accounts, [conf?.owner ?? 'odoo', 'odoo']);

/**
 * The accounts to try, for `Command.as`: Odoo's own, for the database may let only that one in, by peer authentication. The
 * login account only where there is no other, or where it is one of them: whoever may write Odoo's program would have its
 * rights as well. So would they have root's, who may own odoo.conf and runs no Odoo.
 */
export async function accountsOf(
  accounts: Pick<Accounts, 'login' | 'usable'>,
  owners: readonly string[],
): Promise<(string | undefined)[]> {
  const candidates = owners.filter((each) => each !== 'root');
  const others: string[] = [];
  for await (const as of accounts.usable(candidates)) if (as) others.push(as);
  const isOwn = others.length === 0 || candidates.includes(accounts.login);
  return isOwn ? [...others, undefined] : others;
}

/** What a program says; undefined: it fails, or may not read its odoo.conf, which is often 0640. */
async function answerAs(
  host: Host,
  argv: readonly string[],
  as: string | undefined,
  conf: OdooConfFile | undefined,
): Promise<string | undefined> {
  const script = '[ -z "$1" ] || [ -r "$1" ] || exit; shift; exec "$@"';
  try {
    return await run(host, { argv: ['sh', '-c', script, 'sh', conf?.path ?? '', ...argv], as });
  } catch (error) {
    if (error instanceof CommandError) return undefined;
    throw error;
  }
}

/**
 * The program in `{ path=/opt/venv/bin/python ; argv[]=/opt/venv/bin/python /opt/odoo/odoo-bin -c … ; … }`, as systemd
 * shows it.
 */
export function programOfUnit(execStart: string): string[] | undefined {
  const words = /argv\[\]=(.*?) ;/.exec(execStart)?.[1]?.split(' ') ?? [];
  const end = words.findIndex((word) => /(^|\/)(odoo(-bin|-server|\.py)?|openerp-server)$/.test(word));
  return end < 0 ? undefined : words.slice(0, end + 1);
}
