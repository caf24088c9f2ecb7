import { Accounts } from '../../../host/accounts.ts';
import type { Host } from '../../../host/host.ts';
import type { HostTools } from '../../../host/tools.ts';
import type { DatabaseSettings } from '../../../postgres/access.ts';
import { isSuperRole } from '../../../postgres/owner-login.ts';
import { Postgres } from '../../../postgres/server.ts';
import { UserError } from '../../../util/errors.ts';
import type { TestServer } from './server.ts';
import { makeTestRole } from './test-role.ts';

/** A PostgreSQL server that the runner reaches by a URL. */
export interface GivenServer {
  readonly settings: DatabaseSettings;
  /** One to log in to. */
  readonly database: string;
}

/**
 * Logs in to a server that is given, such as a service container.
 *
 * @param host the runner: psql and pg_restore run there
 * @throws UserError when it does not answer, or does not let us in
 */
export async function openGivenServer(
  host: Host,
  tools: HostTools,
  { settings, database }: GivenServer,
): Promise<TestServer> {
  if (tools.clients.length === 0) {
    throw new UserError(
      'restore-test: the runner has no psql and pg_restore to restore by',
      'Install them (apt-get install postgresql-client), or give them by postgres-binaries-url.',
    );
  }
  const admin = await connect(host, tools, { settings, database });
  await using resources = new AsyncDisposableStack();
  let app = admin;
  if (await isSuperRole(admin, admin.login)) {
    const role = resources.use(await makeTestRole(admin));
    const { name: user, password } = role;
    app = await connect(host, tools, { settings: { ...settings, user, password }, database });
  }
  const kept = resources.move();
  return {
    label: `${settings.host}:${settings.port ?? 5432}`,
    admin,
    app,
    owner: app.login,
    also: new Set(),
    tools,
    jobs: tools.cores,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

async function connect(host: Host, tools: HostTools, { settings, database }: GivenServer): Promise<Postgres> {
  try {
    return await Postgres.connect({ host, accounts: new Accounts(host, 'never'), tools }, settings, database);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(
      `restore-test: ${error.message}`,
      'Check the URL: the host, the port, the user, its password and the database, as seen from this job.',
      { cause: error },
    );
  }
}
