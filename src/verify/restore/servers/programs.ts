import type { Host } from '../../../host/host.ts';
import { run } from '../../../host/run.ts';
import {
  findTools,
  type HostTools,
  majorIn,
  oldestFitting,
  type PostgresClient,
} from '../../../host/tools.ts';
import { UserError } from '../../../util/errors.ts';
import { fetchPrograms, type PostgresBinaries, type ServerFolder } from './binaries.ts';

/** The programs of a throw-away server, and those that load a dump into it. */
export interface ServerPrograms {
  /** Has initdb and postgres. */
  readonly folder: string;
  /** `15` */
  readonly major: number;
  /** Tools, with clients of that server's version. */
  readonly tools: HostTools;
}

/**
 * Finds a server that a dump goes into: the oldest installed one that is new enough, which is the one of the same
 * version where there is that; else the one that `binaries` names.
 *
 * @param major the oldest that takes the dump
 * @throws UserError when neither this machine nor `binaries` has a server that is new enough
 */
export async function findPrograms(
  host: Host,
  major: number,
  binaries: PostgresBinaries | undefined,
): Promise<ServerPrograms> {
  const tools = withoutCodecs(await findTools(host));
  const installed = await installedServers(host);
  const fitting = oldestFitting(installed, major);
  if (fitting) return { ...fitting, tools: await clientsFor(host, fitting, tools) };
  if (!binaries) throw noServer(installed, major);
  const fetched = await fetchPrograms(host, binaries);
  if (fetched.major < major) {
    throw new UserError(
      `postgres-binaries-url holds PostgreSQL ${fetched.major}, and the dump needs ${major} or newer`,
      `Give the URL of PostgreSQL ${major}.`,
    );
  }
  return { ...fetched, tools: await clientsFor(host, fetched, tools) };
}

/** Clients for a server that is given: the installed ones, else those of `binaries`. */
export async function findClients(host: Host, binaries: PostgresBinaries | undefined): Promise<HostTools> {
  const tools = withoutCodecs(await findTools(host));
  if (tools.clients.length > 0 || !binaries) return tools;
  return clientsFor(host, await fetchPrograms(host, binaries), tools);
}

/** Within one machine, compression only costs time. */
const withoutCodecs = (tools: HostTools): HostTools => ({ ...tools, programs: new Set() });

/** Debian, PostgreSQL's own packages, Homebrew, what pg_config says, and PATH. */
const PLACES = `/usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin \
"$(pg_config --bindir 2>/dev/null)" "$(dirname -- "$(command -v postgres)")"`;

async function installedServers(host: Host): Promise<ServerFolder[]> {
  const script = `for d in ${PLACES}; do
    [ -x "$d/postgres" ] && [ -x "$d/initdb" ] && printf '%s\\t%s\\n' "$d" "$("$d/postgres" --version)"
  done; :`;
  const lines = (await run(host, { argv: ['sh', '-c', script] })).split('\n').filter(Boolean);
  return lines.flatMap((line) => {
    const [folder = '', version = ''] = line.split('\t');
    const major = majorIn(version);
    return major === undefined ? [] : [{ folder, major }];
  });
}

/** Some archives of binaries hold the server alone. */
async function clientsFor(host: Host, { folder, major }: ServerFolder, tools: HostTools): Promise<HostTools> {
  const script = 'for p in psql pg_restore pg_isready vacuumdb; do [ -x "$1/$p" ] || exit 1; done';
  const own = await run(host, { argv: ['sh', '-c', script, 'sh', folder] }).then(
    () => true,
    () => false,
  );
  const beside: PostgresClient[] = own ? [{ folder, major }] : [];
  const clients = [...beside, ...tools.clients.filter((client) => client.major >= major && !own)];
  if (clients.length > 0) return { ...tools, clients };
  throw new UserError(
    `There is a PostgreSQL ${major} to restore into (${folder}), and no psql and pg_restore to do it with`,
    `Install them on the runner: apt-get install postgresql-client-${major}`,
  );
}

function noServer(installed: readonly ServerFolder[], major: number): UserError {
  const there = installed.length > 0 ? `: it has ${installed.map((each) => each.major).join(', ')}` : '';
  return new UserError(
    `restore-test: there is no PostgreSQL ${major} or newer on the runner to restore the dump into${there}`,
    `Install it (apt-get install postgresql-${major}), give its programs by postgres-binaries-url, or restore elsewhere: restore-test takes host, and the URL of a service container.`,
  );
}
