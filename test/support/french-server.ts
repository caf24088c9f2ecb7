import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { memoryFolder } from './memory-folder.ts';
import { majorOfServer, type PostgresServer } from './postgres.ts';
import { freePorts, run, Servers, serverAccount } from './processes.ts';
import { useSandbox } from './sandbox.ts';

const LOCALE = 'fr_FR.UTF-8';

/** A PostgreSQL server that speaks French: its roles `admin`, a superuser, and `odoo` log in with passwords. */
export interface FrenchServer extends AsyncDisposable {
  readonly server: PostgresServer;
  /** Runs SQL as its admin. */
  sql(statement: string, database?: string): Promise<string>;
  /** Starts a standby of it, which ends queries that conflict at once, and ends with this server. */
  startStandby(): Promise<Standby>;
}

export interface Standby {
  readonly server: PostgresServer;
  /** Waits until it has done what the primary has done until now. */
  catchUp(): Promise<void>;
}

/** Makes the locale in a folder of its own (LOCPATH), as few machines have it. */
export async function startFrenchServer(): Promise<FrenchServer> {
  const { postgres } = useSandbox();
  const account = await serverAccount();
  await using resources = new AsyncDisposableStack();
  const folder = await memoryFolder('french');
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  const servers = resources.use(new Servers(folder));
  const major = majorOfServer(postgres);
  assert.ok(
    existsSync(`/usr/share/locale/fr/LC_MESSAGES/postgres-${major}.mo`),
    'PostgreSQL’s French messages are not installed: dpkg leaves /usr/share/locale out (path-exclude)',
  );
  const locales = join(folder, 'locales');
  await mkdir(locales);
  await run(['localedef', '-i', 'fr_FR', '-f', 'UTF-8', join(locales, LOCALE)]);
  await run(['chmod', '-R', 'a+rX', folder]);
  const home = join(folder, 'postgres');
  await mkdir(home);
  await chown(home, account.uid, account.gid);
  const [port = 0] = await freePorts(1);
  const data = join(home, 'data');
  const env = { LOCPATH: locales, LC_ALL: LOCALE };
  const options = ['--username', 'admin', '--encoding', 'UTF8', '--locale', LOCALE, '--no-sync'];
  await run([join(postgres.bin, 'initdb'), '--pgdata', data, ...options], { as: account, env });
  await appendFile(
    join(data, 'postgresql.conf'),
    `listen_addresses = '127.0.0.1'\nport = ${port}\nunix_socket_directories = '${home}'\nfsync = off\nwal_level = logical\n`,
  );
  const hba = 'local all all trust\nlocal replication admin trust\nhost all all 127.0.0.1/32 scram-sha-256\n';
  await writeFile(join(data, 'pg_hba.conf'), hba);
  const started = servers.start(
    'french',
    ['env', `LOCPATH=${locales}`, `LC_ALL=${LOCALE}`, join(postgres.bin, 'postgres'), '-D', data],
    { as: account, stopSignal: 'SIGINT' },
  );
  const way = ['-h', home, '-p', String(port)];
  const ready = async () => (await run([join(postgres.bin, 'pg_isready'), '-q', ...way])) === '';
  await servers.untilReady('french', started, ready);
  const sql = async (statement: string, database = 'postgres') => {
    const psql = [join(postgres.bin, 'psql'), '-XqAt', '-v', 'ON_ERROR_STOP=1', ...way];
    return (await run([...psql, '-U', 'admin', '-d', database], { input: statement })).trim();
  };
  const role = (name: string) => ({ name, password: randomBytes(12).toString('hex') });
  const [admin, odoo] = [role('admin'), role('odoo')];
  await sql(
    `ALTER ROLE admin PASSWORD '${admin.password}'; CREATE ROLE odoo LOGIN CREATEDB PASSWORD '${odoo.password}'`,
  );
  assert.equal(await sql('SHOW lc_messages'), LOCALE);
  const startStandby = async (): Promise<Standby> => {
    const [standbyPort = 0] = await freePorts(1);
    const copy = join(home, 'standby');
    const from = ['--host', home, '--port', String(port), '--username', 'admin'];
    await run(
      [
        join(postgres.bin, 'pg_basebackup'),
        '--pgdata',
        copy,
        '-R',
        '--checkpoint=fast',
        '--no-sync',
        ...from,
      ],
      { as: account },
    );
    await appendFile(
      join(copy, 'postgresql.conf'),
      `port = ${standbyPort}\nmax_standby_streaming_delay = 0\nhot_standby_feedback = off\n`,
    );
    const child = servers.start(
      'standby',
      ['env', `LOCPATH=${locales}`, `LC_ALL=${LOCALE}`, join(postgres.bin, 'postgres'), '-D', copy],
      { as: account, stopSignal: 'SIGINT' },
    );
    const there = ['-h', home, '-p', String(standbyPort), '-U', 'admin', '-d', 'postgres'];
    const ask = async (statement: string) =>
      (await run([join(postgres.bin, 'psql'), '-XqAt', ...there], { input: statement })).trim();
    await servers.untilReady('standby', child, async () => (await ask('SELECT pg_is_in_recovery()')) === 't');
    return {
      server: { bin: postgres.bin, socket: home, host: '127.0.0.1', port: standbyPort, admin, odoo },
      catchUp: async () => {
        const position = await sql('SELECT pg_current_wal_insert_lsn()');
        const done = async () => (await ask(`SELECT pg_last_wal_replay_lsn() >= '${position}'`)) === 't';
        await servers.untilReady('standby', child, done);
      },
    };
  };
  const kept = resources.move();
  return {
    startStandby,
    server: { bin: postgres.bin, socket: home, host: '127.0.0.1', port, admin, odoo },
    sql,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
