import type { Shell } from '../host/folder.ts';
import type { Command, Host } from '../host/host.ts';
import { quote } from '../host/shell.ts';
import type { Postgres } from '../postgres/server.ts';
import { MAINTENANCE_DATABASE, type Sql } from '../postgres/sql.ts';

/** A shell line that a person can paste on the host, as the account that may run it. */
export const commandByHand = ({ host, command }: Shell, argv: readonly string[]): string =>
  typed(host, command(argv));

function typed(host: Host, command: Command): string {
  const { argv, as } = host.enclose?.(command) ?? command;
  return quote([...(as === undefined ? [] : ['sudo', '-u', as]), ...argv]);
}

/** A shell line for a person that gives statements to the server; psql asks for a password. */
export function sqlByHand(postgres: Postgres, ...statements: readonly Sql[]): string {
  const { env = {}, as } = postgres.command('psql', [], MAINTENANCE_DATABASE);
  const settings = ['PGHOST', 'PGPORT', 'PGUSER'].flatMap((name) =>
    env[name] === undefined ? [] : [`${name}=${env[name]}`],
  );
  const argv = [
    ...(settings.length > 0 ? ['env', ...settings] : []),
    ...['psql', '-d', MAINTENANCE_DATABASE],
    ...statements.flatMap(({ text }) => ['-c', text]),
  ];
  return typed(postgres.host, { argv, as });
}
