import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, run, Servers } from './processes.ts';
import type { Sandbox } from './sandbox.ts';

export interface Pooler extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
}

/**
 * Starts a pgbouncer in front of the sandbox's PostgreSQL, which lets everybody in as odoo.
 * @param options of pgbouncer.ini: `pool_mode`, `ignore_startup_parameters`
 */
export async function startPgbouncer(
  { postgres, account }: Sandbox,
  options: Readonly<Record<string, string>>,
): Promise<Pooler> {
  await using resources = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'pgbouncer-'));
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  const [port = 0] = await freePorts(1);
  const users = join(folder, 'users');
  const ini = join(folder, 'pgbouncer.ini');
  await writeFile(users, `"${postgres.odoo.name}" ""\n`);
  const settings = {
    listen_addr: '127.0.0.1',
    listen_port: String(port),
    unix_socket_dir: '',
    auth_type: 'trust',
    auth_file: users,
    ...options,
  };
  await writeFile(
    ini,
    `[databases]\n* = host=${postgres.socket} port=${postgres.port}\n[pgbouncer]\n${Object.entries(settings)
      .map(([name, value]) => `${name} = ${value}\n`)
      .join('')}`,
  );
  for (const each of [folder, users, ini]) await chown(each, account.uid, account.gid);
  const servers = resources.use(new Servers(folder));
  const pgbouncer = servers.start('pgbouncer', ['/usr/sbin/pgbouncer', ini], {
    as: account,
    stopSignal: 'SIGINT',
  });
  const ready = async () =>
    (await run([join(postgres.bin, 'pg_isready'), '-q', '-h', '127.0.0.1', '-p', String(port)])) === '';
  await servers.untilReady('pgbouncer', pgbouncer, ready);
  const kept = resources.move();
  return { host: '127.0.0.1', port, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
