import { UserError } from '../errors.ts';
import { Accounts, type SudoPolicy } from './accounts.ts';
import { Compose, type ComposeSettings, type Container } from './compose.ts';
import { composeServices, noContainer } from './compose-services.ts';
import { ContainerHost } from './container-host.ts';
import { HelperContainer, type Share } from './helper-container.ts';
import type { Host } from './host.ts';
import { type DatabaseHints, type Party, plainSite, type Site } from './site.ts';

/**
 * An Odoo of which at least one part runs in Docker Compose. PostgreSQL's programs run beside the container of the
 * database, in one of the same image: its client fits its server. So are Odoo's files read and written, whether it runs
 * or not.
 *
 * @throws UserError naming the input to change
 */
export async function composeSite(host: Host, sudo: SudoPolicy, settings: ComposeSettings): Promise<Site> {
  const outside = plainSite(host, sudo);
  const compose = await Compose.open(host, outside.accounts, settings);
  const { odooService, dbService } = settings;
  if (odooService !== undefined) compose.assertService(odooService, 'compose-odoo-service');
  if (dbService !== undefined) compose.assertService(dbService, 'compose-db-service');
  const containers = await compose.containers([odooService, dbService].filter((each) => each !== undefined));
  const odoo = odooService === undefined ? undefined : containerOf(containers, odooService, compose);
  const db = dbService === undefined ? undefined : containerOf(containers, dbService, compose);
  if (db && db.status !== 'running') throw notRunning(db, compose);

  const engine = { machine: host, as: compose.as };
  const party = ({ id, service }: Container, current: () => Promise<string>): Party => {
    const inside = new ContainerHost(engine, `service ${service} of ${host.label}`, current, id);
    return { host: inside, accounts: new Accounts(inside, 'auto') };
  };
  const beside = (container: Container, share: Share) => {
    const helper = new HelperContainer(engine, container, share);
    return party(container, () => helper.id());
  };
  const files = odoo && beside(odoo, 'volumes');
  const inOdoo = odoo?.status === 'running' ? party(odoo, async () => odoo.id) : files;
  return {
    ...outside,
    database: db ? beside(db, 'network') : outside,
    odoo: inOdoo ?? outside,
    files: files ?? outside,
    hints: hintsOf(odoo, db),
    notes: [
      `${compose.version}: ${compose.services.join(', ')}`,
      ...(odoo ? [`Odoo: service ${odoo.service}, ${odoo.status}`] : []),
      ...(db ? [`PostgreSQL: service ${db.service}`] : []),
    ],
    obstacle: (path) => odoo && obstacle(odoo, path),
    services: odoo && ((names) => composeServices(compose, names)),
  };
}

/** The one that runs, where a service has several. */
function containerOf(containers: readonly Container[], service: string, compose: Compose): Container {
  const own = containers.filter((each) => each.service === service);
  const container = own.find(({ status }) => status === 'running') ?? own[0];
  if (!container) throw noContainer([service], compose);
  return container;
}

const notRunning = ({ service, status }: Container, compose: Compose): UserError =>
  new UserError(
    `compose-db-service: ${service} is ${status}, and PostgreSQL has to run`,
    `Start it on the host: ${compose.shown(['start', service])}`,
  );

/** Odoo's own image passes these names on; others say the same with a prefix. */
function hintsOf(odoo: Container | undefined, db: Container | undefined): DatabaseHints {
  const first = (container: Container | undefined, ...names: readonly string[]) =>
    names.map((name) => container?.env.get(name)).find((value) => value !== undefined && value !== '');
  const user = first(odoo, 'DB_USER', 'PGUSER', 'USER') ?? first(db, 'POSTGRES_USER');
  const ofOdoo = first(odoo, 'DB_PASSWORD', 'PGPASSWORD', 'PASSWORD');
  const ofServer = user === first(db, 'POSTGRES_USER') ? first(db, 'POSTGRES_PASSWORD') : undefined;
  const port = Number(first(odoo, 'DB_PORT', 'PGPORT', 'PORT'));
  return {
    beside: db !== undefined,
    host: db ? '127.0.0.1' : outsideName(first(odoo, 'DB_HOST', 'PGHOST', 'HOST')),
    port: Number.isInteger(port) && port > 0 ? port : undefined,
    user,
    password: ofOdoo ?? ofServer,
  };
}

/** Docker's name for the machine, which only containers know. */
export const outsideName = (name: string | undefined): string | undefined =>
  name === 'host.docker.internal' ? '127.0.0.1' : name;

/** Why a folder of a container cannot be used from beside it. */
function obstacle({ mounts, service }: Container, path: string): string | undefined {
  const [mount] = mounts
    .filter((each) => `${path}/`.startsWith(`${each.path.replace(/\/$/, '')}/`))
    .toSorted((a, b) => b.path.length - a.path.length);
  if (!mount) return `${path} lies in no volume of the service ${service}: it goes when the container does`;
  return mount.writable ? undefined : `${path} lies in a volume that the service ${service} may only read`;
}
