import type { Accounts } from '../host/accounts.ts';
import type { Command, Host } from '../host/host.ts';
import { run, succeeds } from '../host/run.ts';
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
 * @returns undefined where there is none
 */
export async function findOdooProgram(
  host: Host,
  accounts: Accounts,
  units: readonly string[],
  conf: OdooConfFile | undefined,
): Promise<OdooProgram | undefined> {
  const script = `command -v odoo || command -v odoo-bin
    for unit do systemctl show --property=ExecStart --value -- "$unit" 2>/dev/null; done; :`;
  const found = await run(host, { argv: ['sh', '-c', script, 'sh', ...units] });
  for (const line of found.split('\n').filter(Boolean)) {
    const argv = line.startsWith('{') ? programOfUnit(line) : [line];
    if (!argv) continue;
    for (const as of await runners(accounts, conf)) {
      if (await knowsNeutralize(host, argv, as, conf)) return { host, argv, as, conf: conf?.path };
    }
  }
  return undefined;
}

/** Odoo's own account before the login account: the database may let that one in only, by peer authentication. */
async function runners(accounts: Accounts, conf: OdooConfFile | undefined): Promise<(string | undefined)[]> {
  const others: string[] = [];
  for await (const as of accounts.usable([conf?.owner ?? 'odoo', 'odoo'])) if (as) others.push(as);
  return [...others, undefined];
}

/** It also has to be able to read its odoo.conf, which is often 0640. */
async function knowsNeutralize(
  host: Host,
  argv: readonly string[],
  as: string | undefined,
  conf: OdooConfFile | undefined,
): Promise<boolean> {
  const script = '[ -z "$1" ] || [ -r "$1" ] || exit; shift; exec "$@" neutralize --help';
  return succeeds(host, { argv: ['sh', '-c', script, 'sh', conf?.path ?? '', ...argv], as });
}

/**
 * The program in `{ path=/opt/venv/bin/python ; argv[]=/opt/venv/bin/python /opt/odoo/odoo-bin -c … ; … }`, as systemd
 * shows it.
 */
export function programOfUnit(execStart: string): string[] | undefined {
  const words = /argv\[\]=(.*?) ;/.exec(execStart)?.[1]?.split(' ') ?? [];
  const end = words.findIndex((word) => /(^|\/)odoo(-bin|\.py)?$/.test(word));
  return end < 0 ? undefined : words.slice(0, end + 1);
}
