import { Accounts } from '../../../host/accounts.ts';
import { CommandError, type Host, type Process } from '../../../host/host.ts';
import { unlimited } from '../../../host/limits.ts';
import { makeFolderIn } from '../../../host/temp-folder.ts';
import { ON_THROWAWAY_SERVER } from '../../../postgres/extensions/allowlist.ts';
import { runSql } from '../../../postgres/run-sql.ts';
import { Postgres } from '../../../postgres/server.ts';
import { identifier, MAINTENANCE_DATABASE, sql } from '../../../postgres/sql.ts';
import { UserError } from '../../../util/errors.ts';
import { formatBytes } from '../../../util/format.ts';
import type { ServerPrograms } from './programs.ts';
import type { TestServer } from './server.ts';

/** Exit code of the script when no place has the space: EX_TEMPFAIL of sysexits.h. */
const NO_SPACE = 75;
/** Longest path of a socket: sockaddr_un of Linux has 108 bytes, the last of which is zero. */
const MAX_SOCKET_PATH = 107;
const PORT = 5432;
/** Bytes for the server itself: what initdb makes, and the log of changes. */
const OVERHEAD_BYTES = 512 * 1024 ** 2;

/** The superuser, and who loads the dump. */
const ADMIN = 'postgres';
const OWNER = 'odoo';

/**
 * Nothing of it has to survive a crash. Parallel queries would share memory in /dev/shm, which is small in containers;
 * a dump's many tables are counted in one transaction, which holds a lock on each.
 */
const CONFIGURATION: Readonly<Record<string, string>> = {
  listen_addresses: '',
  port: String(PORT),
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '1GB',
  checkpoint_timeout: '1h',
  autovacuum: 'off',
  shared_buffers: '256MB',
  maintenance_work_mem: '128MB',
  max_parallel_workers_per_gather: '0',
  max_parallel_maintenance_workers: '0',
  max_locks_per_transaction: '1024',
};

/**
 * Makes the cluster in a folder of its own, runs the server, and stops and removes both when it ends: when we end it,
 * when we are killed (the guard of `Command.guarded`), or when the server dies. Signals come to the whole group: initdb
 * and the server get them as well. SIGQUIT is PostgreSQL's immediate shutdown: it waits for nobody. It is sent until it
 * has been heard: one that comes between the fork and the program's own handler is lost.
 *
 * Arguments: KiB needed, the folder of the programs, then options of the server. Prints the folder of the cluster's
 * socket once the server answers. A path that is too long for a socket gives way to one in /tmp.
 */
const SCRIPT = `needed=$1 bin=$2; shift 2
  folder= socket=
  remove() {
    trap '' HUP INT TERM PIPE
    while [ -n "$!" ] && kill -s QUIT "$!" 2>/dev/null; do sleep 0.1; done
    rm -rf -- "$folder" "$socket"
  }
  trap remove EXIT; trap 'remove; exit 143' HUP INT TERM PIPE
  for place in "\${TMPDIR:-/tmp}" /var/tmp; do
    free=$(df -Pk -- "$place" | awk 'NR == 2 { print $4 }')
    [ "\${free:-0}" -ge "$needed" ] || continue
    folder=${makeFolderIn('$place')} && break
  done
  [ -n "$folder" ] || exit ${NO_SPACE}
  path=$folder/.s.PGSQL.${PORT}
  if [ \${#path} -gt ${MAX_SOCKET_PATH} ]; then
    socket=${makeFolderIn('/tmp')} || exit
  fi
  "$bin/initdb" --pgdata="$folder/data" --username=${ADMIN} --auth=trust --encoding=UTF8 --locale=C --no-sync \\
    >"$folder/log" 2>&1 &
  wait "$!" || { tail -n 20 "$folder/log" >&2; exit 1; }
  "$bin/postgres" -D "$folder/data" -c unix_socket_directories="\${socket:-$folder}" "$@" \\
    </dev/null >"$folder/log" 2>&1 &
  until grep -q 'ready to accept connections' "$folder/log"; do
    kill -0 "$!" 2>/dev/null || { tail -n 20 "$folder/log" >&2; exit 1; }
    sleep 0.1
  done
  printf '%s\\n' "\${socket:-$folder}"
  wait "$!"; tail -n 20 "$folder/log" >&2; exit 1`;

/**
 * A PostgreSQL of our own on the runner, which only this account may enter: in a temporary folder, on a local socket.
 * It is stopped and removed when it is disposed of, and also when we are killed.
 *
 * @param databaseBytes that a database in it will take
 * @throws UserError when it does not start, or there is no space for it
 */
export async function startThrowawayServer(
  host: Host,
  programs: ServerPrograms,
  databaseBytes: number,
  signal: AbortSignal,
): Promise<TestServer> {
  await using resources = new AsyncDisposableStack();
  const { holder, socket } = await startHolder(host, programs, databaseBytes + OVERHEAD_BYTES, signal);
  resources.use(holder);
  const accounts = new Accounts(host, 'never');
  const connect = (user: string) => {
    const settings = { host: socket, port: PORT, user };
    return Postgres.connect({ host, accounts, tools: programs.tools }, settings, MAINTENANCE_DATABASE);
  };
  const admin = await connect(ADMIN);
  await runSql(admin, MAINTENANCE_DATABASE, sql`CREATE ROLE ${identifier(OWNER)} LOGIN`);
  const app = await connect(OWNER);
  const kept = resources.move();
  return {
    label: host.label,
    admin,
    app,
    owner: OWNER,
    also: ON_THROWAWAY_SERVER,
    tools: programs.tools,
    jobs: programs.tools.cores,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

async function startHolder(
  host: Host,
  { folder, major }: ServerPrograms,
  neededBytes: number,
  signal: AbortSignal,
): Promise<{ readonly holder: Process; readonly socket: string }> {
  const options = Object.entries(CONFIGURATION).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const needed = String(Math.ceil(neededBytes / 1024));
  const argv = ['sh', '-c', SCRIPT, 'sh', needed, folder, ...options];
  signal.throwIfAborted();
  const holder = await unlimited(() => host.start({ argv, guarded: true }));
  const end = () => void holder[Symbol.asyncDispose]();
  signal.addEventListener('abort', end, { once: true });
  try {
    let printed = '';
    for await (const chunk of holder.stdout.iterator({ destroyOnReturn: false })) {
      printed += chunk;
      if (printed.endsWith('\n')) return { holder, socket: printed.trimEnd() };
    }
    const exit = await holder.exited;
    signal.throwIfAborted();
    if (exit.code === NO_SPACE) throw noSpace(neededBytes);
    throw new UserError(
      `restore-test: PostgreSQL ${major} does not start on the runner: ${exit.stderr}`,
      'See its message above. Another server can be used: restore-test takes host, and the URL of a service container.',
      { cause: new CommandError({ argv: [`${folder}/postgres`] }, exit) },
    );
  } catch (error) {
    await holder[Symbol.asyncDispose]();
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', end);
  }
}

function noSpace(neededBytes: number): UserError {
  return new UserError(
    `restore-test: there is no room on the runner for the database: neither TMPDIR nor /var/tmp has the ${formatBytes(neededBytes)}`,
    'Free space there, take a larger runner, or restore elsewhere: restore-test takes host, and the URL of a service container.',
  );
}
