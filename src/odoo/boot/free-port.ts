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
  const tables = await answerOf(host, {
    argv: ['sh', '-c', 'cat /proc/net/tcp /proc/net/tcp6 2>/dev/null; :'],
  });
  const port = freeAmong(portsIn(tables), randomInt(FROM, BELOW));
  if (port !== undefined) return port;
  throw new UserError(
    `No port from ${FROM} to ${BELOW} of ${host.label} is free`,
    'Look on the host for what listens on them: ss -ltn.',
  );
}

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
