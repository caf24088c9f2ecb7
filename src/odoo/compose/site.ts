import { Accounts, type SudoPolicy } from '../../host/accounts.ts';
import type { Command, Host } from '../../host/host.ts';
import { UserError } from '../../util/errors.ts';
import { type DatabaseHints, plainSite, type Site, type SitePart } from '../site.ts';
import { ContainerHost, typedBeside, typedInside } from './container-host.ts';
import { ContainerEnvironment } from './environment.ts';
import { HelperContainer, type Purpose } from './helper-container.ts';
import { hasImage, serviceImages } from './images.ts';
import { Compose, type ComposeSettings, type Container } from './project.ts';
import { composeServices, noContainer } from './services.ts';

/**
 * An Odoo of which at least one part runs in Compose. PostgreSQL's programs run beside the container of the
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

  const { engine } = compose;
  const party = (
    { service }: Container,
    current: () => Promise<string>,
    typed: (argv: readonly string[]) => string[],
  ): SitePart => {
    const container = new ContainerHost(engine, `service ${service} of ${host.label}`, current, typed);
    return { host: container, accounts: new Accounts(container, 'auto') };
  };
  const beside = (container: Container, purpose: Purpose) => {
    const helper = new HelperContainer(engine, container, purpose);
    const { id, image } = container;
    const typed =
      purpose === 'files' ? typedBeside(engine.program, id, image) : typedInside(engine.program, id);
    return party(container, () => helper.id(), typed);
  };
  const files = odoo && beside(odoo, 'files');
  const inside = odoo && party(odoo, async () => odoo.id, typedInside(engine.program, odoo.id));
  // Another container than before, where code-command has made one.
  const running = odoo && party(odoo, () => runningOf(compose, odoo), typedInside(engine.program, odoo.id));
  const server = db && beside(db, 'server');
  const odooSays = odoo && files && new ContainerEnvironment(engine, odoo, files.host);
  const dbSays = db && server && new ContainerEnvironment(engine, db, server.host);
  return {
    ...outside,
    database: server ?? outside,
    odoo: (odoo?.status === 'running' ? inside : files) ?? outside,
    odooEnvironment: async () => (odooSays ? environmentOf(odooSays) : {}),
    pages: running?.host ?? host,
    files: files ?? outside,
    guest: (image) =>
      odoo && image !== undefined ? beside({ ...odoo, image }, 'files') : (files ?? outside),
    hints: hintsOf(odooSays, dbSays),
    notes: [
      `${compose.version}: ${compose.services.join(', ')}`,
      ...(odoo ? [`Odoo: service ${odoo.service}, ${odoo.status}`] : []),
      ...(db ? [`PostgreSQL: service ${db.service}`] : []),
    ],
    onMachine: (path) => (odoo ? onMachine(odoo, path) : path),
    images: () => serviceImages(compose),
    hasImage: (image) => hasImage(compose.engine, image),
    obstacle: (path) => odoo && obstacle(odoo, path),
    services: odoo && ((names) => composeServices(compose, names)),
  };
}

/** The container that runs a service now; where none does, the one that did. */
async function runningOf(compose: Compose, { service, id }: Container): Promise<string> {
  const containers = await compose.containers([service]);
  return containers.find(({ status }) => status === 'running')?.id ?? containers[0]?.id ?? id;
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

/** Odoo's own image takes these from its environment; others say the same with a prefix. */
const NAMES = {
  host: ['DB_HOST', 'PGHOST', 'HOST'],
  port: ['DB_PORT', 'PGPORT', 'PORT'],
  user: ['DB_USER', 'PGUSER', 'USER'],
  password: ['DB_PASSWORD', 'PGPASSWORD', 'PASSWORD'],
} as const;

function hintsOf(
  odoo: ContainerEnvironment | undefined,
  db: ContainerEnvironment | undefined,
): DatabaseHints {
  const port = Number(odoo?.plain(NAMES.port));
  const userOf = async (each: ContainerEnvironment | undefined, names: readonly string[]) =>
    await each?.value(names);
  const ofServer = () => userOf(db, ['POSTGRES_USER']);
  return {
    beside: db !== undefined,
    host: db ? '127.0.0.1' : outsideName(odoo?.plain(NAMES.host)),
    port: Number.isInteger(port) && port > 0 ? port : undefined,
    user: async () => (await userOf(odoo, NAMES.user)) ?? ofServer(),
    password: async (user) =>
      (await odoo?.value(NAMES.password)) ??
      (user === (await ofServer()) ? db?.value(['POSTGRES_PASSWORD']) : undefined),
  };
}

/** The variables for libpq, which the image's entry point would turn into options: what odoo.conf says counts more. */
async function environmentOf(odoo: ContainerEnvironment): Promise<Pick<Command, 'env' | 'secretEnv'>> {
  const [host, port] = [odoo.plain(NAMES.host), odoo.plain(NAMES.port)];
  const [user, password] = [await odoo.value(NAMES.user), await odoo.value(NAMES.password)];
  const env = { ...(host && { PGHOST: host }), ...(port && { PGPORT: port }), ...(user && { PGUSER: user }) };
  return { env, secretEnv: password ? { PGPASSWORD: password } : {} };
}

/** Names for the machine that only containers know: Docker's and Podman's. */
export const outsideName = (name: string | undefined): string | undefined =>
  name === 'host.docker.internal' || name === 'host.containers.internal' ? '127.0.0.1' : name;

/** The mount that a path of a container lies in. */
const mountOf = ({ mounts }: Container, path: string): Container['mounts'][number] | undefined =>
  mounts
    .filter((each) => `${path}/`.startsWith(`${each.path.replace(/\/$/, '')}/`))
    .toSorted((a, b) => b.path.length - a.path.length)[0];

/** A folder of the machine that is mounted in a container; what is in a volume only root may look at. */
function onMachine(container: Container, path: string): string | undefined {
  const mount = mountOf(container, path);
  return mount?.source === undefined
    ? undefined
    : mount.source + path.slice(mount.path.replace(/\/$/, '').length);
}

/** Why a folder of a container cannot be used from beside it. */
function obstacle(container: Container, path: string): string | undefined {
  const { service } = container;
  const mount = mountOf(container, path);
  if (!mount)
    return `filestore: ${path} lies in no volume of the service ${service}: it goes when the container does`;
  return mount.writable
    ? undefined
    : `filestore: ${path} lies in a volume that the service ${service} may only read`;
}
