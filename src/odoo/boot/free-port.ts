import { randomInt } from 'node:crypto';
import { answerOf } from '../../host/disk-space.ts';
import type { Host } from '../../host/host.ts';
import { UserError } from '../../util/errors.ts';

/** Below the ports that Linux gives to connections by itself (net.ipv4.ip_local_port_range). */
const FROM = 20_000;
const BELOW = 32_000;

/**
 * A port of the host on which nothing listens, and which no connection has. Somebody may take it a moment later.
 *
 * @throws UserError where none is free
 */
export async function freePort(host: Host): Promise<number> {
  const port = freeAmong(portsIn(await tablesOf(host)), randomInt(FROM, BELOW));
  if (port !== undefined) return port;
  throw new UserError(
    `No port from ${FROM} to ${BELOW} of ${host.label} is free`,
    'Look on the host for what listens on them: ss -ltn.',
  );
}

const tablesOf = (host: Host): Promise<string> =>
  answerOf(host, { argv: ['sh', '-c', 'cat /proc/net/tcp /proc/net/tcp6 2>/dev/null; :'] });

/**
 * Makes sure that it is an account itself which listens on a port: another one may have taken it first, and would answer in
 * its place.
 *
 * @param as the account, for `Command.as`
 * @throws UserError where others listen on it
 */
export async function assertListens(host: Host, port: number, as: string | undefined): Promise<void> {
  const [tables, uid] = await Promise.all([tablesOf(host), answerOf(host, { argv: ['id', '-u'], as })]);
  const strangers = listenersIn(tables, port).filter((each) => each !== uid.trim());
  if (strangers.length === 0) return;
  throw new UserError(
    `What answers on port ${port} of ${host.label} is not this Odoo: it belongs to the account with the number ${strangers[0]}`,
    'Another program of the host took the port just then. Run it again.',
  );
}

/** Numbers of the accounts that listen on a port: state 0A, TCP_LISTEN. */
export const listenersIn = (tables: string, port: number): readonly string[] =>
  [
    ...tables.matchAll(/^ *\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} 0A \S+ \S+ \S+ +(\d+) /gm),
  ].flatMap(([, hex = '', uid = '']) => (Number.parseInt(hex, 16) === port ? [uid] : []));

/**
 * Local ports in the tables of /proc/net: `  0: 0100007F:1F90 00000000:0000 0A …`, in hexadecimal digits
 * (https://docs.kernel.org/networking/proc_net_tcp.html).
 */
export const portsIn = (tables: string): ReadonlySet<number> =>
  new Set(
    [...tables.matchAll(/^ *\d+: [0-9A-F]+:([0-9A-F]{4}) /gm)].map(([, port = '']) =>
      Number.parseInt(port, 16),
    ),
  );

/** The first that is free, from one on. */
export function freeAmong(taken: ReadonlySet<number>, first: number): number | undefined {
  for (let i = 0; i < BELOW - FROM; i++) {
    const port = FROM + ((first - FROM + i) % (BELOW - FROM));
    if (!taken.has(port)) return port;
  }
  return undefined;
}
