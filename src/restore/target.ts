import type { Host } from '../host/host.ts';
import { actAsOwner, type OwnedFolder } from '../host/owned-folder.ts';
import { listDerivedFolders } from '../odoo/folder-swap.ts';
import { type HealthCheck, odooUrl } from '../odoo/health.ts';
import {
  findInstallation,
  type Installation,
  type OdooServer,
  type OnTheWay,
  odooRoleOf,
} from '../odoo/installation.ts';
import { commandServices, type Services } from '../odoo/services.ts';
import type { Site } from '../odoo/site.ts';
import { systemdServices } from '../odoo/systemd.ts';
import { clockOf } from '../postgres/clock.ts';
import { type DatabaseState, findDatabase, listDerivedDatabases } from '../postgres/databases.ts';
import type { OdooRole } from '../postgres/owner-login.ts';
import type { Postgres } from '../postgres/server.ts';
import { inOrder } from '../util/begun.ts';
import { type Leftovers, sortLeftovers } from './leftovers/leftovers.ts';
import type { PutBackOptions } from './options.ts';

/** What a restore changes: a database on a host, and its filestore. */
export interface Target {
  readonly site: Site;
  /** The machine. */
  readonly host: Host;
  readonly database: string;
  readonly installation: Installation;
  /** The login that inputs and odoo.conf give. What loads a dump is `Findings.loader`. */
  readonly postgres: Postgres;
  /** undefined: the input db-user says another, and there is no odoo.conf that names it. */
  readonly odooRole: OdooRole | undefined;
  /** As the role that creates databases and renames them: the same, unless `db-admin-user` names another. */
  readonly admin: Postgres;
  /** undefined: it is left alone. */
  readonly filestore: OwnedFolder | undefined;
  /** The database that has the name now; undefined: there is none. */
  readonly current: DatabaseState | undefined;
  readonly leftovers: Leftovers;
  /** undefined: nothing has to stop. */
  readonly services: Services | undefined;
  /** Units of systemd that run Odoo, where that is known: they show where its program is. Default: those of `services`. */
  readonly units?: readonly string[];
  readonly health: { readonly check: HealthCheck; readonly timeoutMs: number };
  /** Number of jobs of pg_restore. */
  readonly jobs: number;
}

/** What the inputs say of a target. */
export type TargetOptions = Pick<PutBackOptions, 'odoo' | 'dbAdminUser' | 'services' | 'health' | 'jobs'>;

/** Who is told what is found of a target on the way. */
interface TargetOnTheWay extends OnTheWay {
  /** What others may change is looked at once the promise has settled that this gives. */
  readonly onServer?: (found: OdooServer) => Promise<void>;
}

/**
 * Finds the target, by read-only commands.
 *
 * @param database undefined: the one of the inputs or of odoo.conf
 * @throws UserError when something is not to be found, or the roles and accounts are not let in
 */
export async function findTarget(
  site: Site,
  inputs: TargetOptions,
  database: string | undefined,
  { secret, onServer }: TargetOnTheWay,
): Promise<Target> {
  let ready: Promise<void> | undefined;
  const installation = await findInstallation(site, inputs.odoo, database, {
    secret,
    onServer: (found) => {
      ready = onServer?.(found);
    },
  });
  const { postgres, tools, conf } = installation;
  const { dbAdminUser } = inputs;
  const finding = dbAdminUser === undefined ? Promise.resolve(postgres) : postgres.asRole(dbAdminUser);
  finding.catch(() => {}); // awaited below
  await ready;
  const state = await stateOf(site, installation, finding);
  return {
    site,
    host: site.host,
    database: installation.database,
    installation,
    postgres,
    odooRole: odooRoleOf(installation, inputs.odoo.dbUser),
    admin: await finding,
    ...state,
    services: servicesOf(site, inputs),
    health: {
      check:
        inputs.health.url === undefined
          ? { kind: 'odoo', baseUrl: odooUrl(conf?.httpInterface, conf?.httpPort) }
          : { kind: 'url', url: inputs.health.url, from: inputs.health.from },
      timeoutMs: inputs.health.timeoutMs,
    },
    jobs: inputs.jobs ?? tools.cores,
  };
}

/** What a restore replaces, and what earlier ones have left. */
async function stateOf(
  { files }: Site,
  { database, filestore: path, readers }: Installation,
  finding: Promise<Postgres>,
): Promise<Pick<Target, 'filestore' | 'current' | 'leftovers'>> {
  const owning =
    path === undefined ? Promise.resolve(undefined) : actAsOwner(files.host, files.accounts, path, readers);
  const asking = async () => {
    const admin = await finding;
    return Promise.all([findDatabase(admin, database), findLeftovers(admin, database, owning)]);
  };
  const [[current, leftovers], found] = await inOrder(asking(), owning);
  // One that a run which was killed has put in place ahead of its database is taken back before anything else.
  const isPlaced = !current && leftovers.placed.some(({ replaced }) => replaced === undefined);
  return { filestore: found && { ...found, exists: found.exists && !isPlaced }, current, leftovers };
}

/** What earlier restores have left, read only. */
export async function findLeftovers(
  admin: Postgres,
  database: string,
  filestore: OwnedFolder | undefined | Promise<OwnedFolder | undefined>,
): Promise<Leftovers> {
  const foldersOf = async () => {
    const folder = await filestore;
    return folder ? listDerivedFolders(folder) : [];
  };
  const [databases, folders] = await Promise.all([listDerivedDatabases(admin, database), foldersOf()]);
  const sorted = sortLeftovers(databases, folders, new Date());
  if (sorted.expired.length === 0) return sorted;
  // A runner whose clock is ahead would remove what is to be kept for days: the server's has to say so as well.
  return sortLeftovers(databases, folders, new Date(Math.min(Date.now(), await clockOf(admin))));
}

function servicesOf(
  { host, accounts, services: compose }: Site,
  { services }: Pick<TargetOptions, 'services'>,
): Services | undefined {
  if (!services) return undefined;
  if (services.kind === 'commands') return commandServices(host, services.stop, services.start);
  return compose ? compose(services.units) : systemdServices(host, accounts, services.units);
}
