import { filestoreCodec } from '../host/codecs.ts';
import type { Host } from '../host/host.ts';
import { seeFolder } from '../host/owned-folder.ts';
import { run } from '../host/run.ts';
import { findTools, type HostTools } from '../host/tools.ts';
import type { DatabaseSettings } from '../postgres/access.ts';
import type { OdooRole } from '../postgres/owner-login.ts';
import { catalogName } from '../postgres/rows.ts';
import { queryRows } from '../postgres/run-sql.ts';
import { Postgres } from '../postgres/server.ts';
import { MAINTENANCE_DATABASE, sql } from '../postgres/sql.ts';
import { begunInOrder, inOrder } from '../util/begun.ts';
import { object } from '../util/decode.ts';
import { UserError } from '../util/errors.ts';
import { outsideName } from './compose/site.ts';
import { expandDataDir } from './data-dir.ts';
import { type Filestore, findFilestore } from './filestore.ts';
import { findOdooConf, type OdooConfFile } from './odoo-conf.ts';
import type { Site, SitePart } from './site.ts';

/** What the inputs say of an Odoo installation; the rest is found on the host. */
export interface OdooSettings {
  readonly odooConf?: string;
  readonly database?: string;
  readonly dbHost?: string;
  readonly dbPort?: number;
  readonly dbUser?: string;
  readonly dbPassword?: string;
  /** `false`: leave it alone; `true`: find it; a path: it is there. */
  readonly filestore: boolean | string;
}

/** The database of an Odoo installation. */
export interface OdooServer {
  readonly database: string;
  /** Where PostgreSQL's client programs run. */
  readonly tools: HostTools;
  readonly postgres: Postgres;
}

/** An Odoo installation on a host: one database and its filestore, ready to be read. */
export interface Odoo extends OdooServer {
  readonly conf: OdooConfFile | undefined;
  /** undefined: it is not there, or not wanted. */
  readonly filestore: Filestore | undefined;
  /** Folders of the host in which the filestore was looked for. */
  readonly lookedIn: readonly string[];
}

/** Who is told what is found on the way. */
export interface OnTheWay {
  /** Is told the database's password before it is used. */
  readonly secret: (value: string) => void;
  /** Is told of the database once its server lets this run in, while the filestore is looked for. */
  readonly onServer?: (found: OdooServer) => void;
}

/**
 * Finds everything a backup needs, by read-only commands.
 *
 * @throws UserError naming the input to set where something is not found
 */
export async function findOdoo(
  site: Site,
  settings: OdooSettings,
  { secret, onServer = () => {} }: OnTheWay,
): Promise<Odoo> {
  const { tools, conf } = await look(site, settings);
  const database = chooseDatabase(settings.database, conf);
  const access = await databaseSettings(settings, conf, site);
  if (access.password !== undefined) secret(access.password);
  const clues = { conf, readers: readersOf(conf, access) };
  const connecting = Postgres.connect({ ...site.database, tools }, access, database);
  const [postgres, { filestore, lookedIn }, filesTools] = await inOrder(
    connecting.then((found) => {
      onServer({ database, tools, postgres: found });
      return found;
    }),
    settings.filestore
      ? locateFilestore(site, settings.filestore, database, clues)
      : Promise.resolve({ filestore: undefined, lookedIn: [] }),
    settings.filestore ? toolsOf(site, tools) : Promise.resolve(tools),
  );
  const codec = filestoreCodec(filesTools);
  return { database, conf, tools, postgres, filestore: filestore && { ...filestore, codec }, lookedIn };
}

/** An Odoo installation, whether the database and its filestore are there or not. */
export interface Installation extends Omit<Odoo, 'filestore' | 'lookedIn'> {
  /** Asked in the maintenance database. */
  readonly postgres: Postgres;
  /** Where the database's filestore is, or has to be; undefined: not wanted. */
  readonly filestore: string | undefined;
  /** Accounts that may look at it. */
  readonly readers: readonly string[];
}

/**
 * Finds everything a restore needs, by read-only commands.
 *
 * @param target the database to restore; undefined: the one of the inputs or of odoo.conf
 * @throws UserError naming the input to set where something is not found
 */
export async function findInstallation(
  site: Site,
  settings: OdooSettings,
  target: string | undefined,
  { secret, onServer = () => {} }: OnTheWay,
): Promise<Installation> {
  const { tools, conf } = await look(site, settings);
  const database = target ?? chooseDatabase(settings.database, conf);
  const access = await databaseSettings(settings, conf, site);
  if (access.password !== undefined) secret(access.password);
  const readers = readersOf(conf, access);
  const connecting = Postgres.connect({ ...site.database, tools }, access, MAINTENANCE_DATABASE);
  const [postgres, filestore] = await inOrder(
    connecting.then((found) => {
      onServer({ database, tools, postgres: found });
      return found;
    }),
    settings.filestore
      ? placeForFilestore(site.files, settings.filestore, database, { conf, readers })
      : Promise.resolve(undefined),
  );
  if (filestore !== undefined) assertUsable(site, filestore);
  return { database, conf, tools, postgres, filestore, readers };
}

/**
 * The databases that Odoo offers (`odoo.service.db.list_dbs`): those of its role, but no templates, and none that takes
 * no connections, as what a restore has replaced.
 *
 * @param secret is told the database's password before it is used
 * @throws UserError naming the input to set where something is not found
 */
export async function listDatabases(
  site: Site,
  settings: OdooSettings,
  secret: (value: string) => void,
): Promise<string[]> {
  const { tools, conf } = await look(site, settings);
  const access = await databaseSettings(settings, conf, site);
  if (access.password !== undefined) secret(access.password);
  const postgres = await Postgres.connect({ ...site.database, tools }, access, MAINTENANCE_DATABASE);
  const rows = await queryRows(
    postgres,
    MAINTENANCE_DATABASE,
    object({ name: catalogName }),
    sql`SELECT datname AS name FROM pg_database WHERE pg_get_userbyid(datdba) = ${postgres.role}
        AND NOT datistemplate AND datallowconn AND datname <> ${MAINTENANCE_DATABASE} ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
}

async function look({ database, odoo }: Site, { odooConf }: OdooSettings) {
  const [tools, conf] = await Promise.all([
    findTools(database.host),
    findOdooConf(odoo.host, odoo.accounts, odooConf),
  ]);
  return { tools, conf };
}

/** The programs where the filestore is. */
const toolsOf = async ({ files, database }: Site, tools: HostTools): Promise<HostTools> =>
  files.host === database.host ? tools : findTools(files.host);

function assertUsable(site: Site, path: string): void {
  const obstacle = site.obstacle(path);
  if (obstacle === undefined) return;
  throw new UserError(
    obstacle,
    'Mount a volume at data_dir (in Odoo’s own image /var/lib/odoo), set the input filestore to where it is, or to false.',
  );
}

function chooseDatabase(wanted: string | undefined, conf: OdooConfFile | undefined): string {
  if (wanted !== undefined) return wanted;
  const [only, ...others] = conf?.dbNames ?? [];
  if (only !== undefined && others.length === 0) return only;
  throw new UserError(
    conf === undefined
      ? 'database: is not set, and no odoo.conf in a usual place names one'
      : `database: is not set, and db_name in ${conf.path} names ${only === undefined ? 'none' : `several: ${conf.dbNames.join(', ')}`}`,
    'Set the input database.',
  );
}

/** Inputs override odoo.conf; a role named nowhere is libpq's default: the name of Odoo's own account. */
async function databaseSettings(
  settings: OdooSettings,
  conf: OdooConfFile | undefined,
  { host, hints }: Site,
): Promise<DatabaseSettings> {
  const odooAccount = conf === undefined || conf.owner === 'root' ? 'odoo' : conf.owner;
  const user =
    settings.dbUser ??
    conf?.dbUser ??
    (await hints.user?.()) ??
    (conf === undefined ? host.user : odooAccount);
  const server = settings.dbHost ?? (hints.beside ? hints.host : (outsideName(conf?.dbHost) ?? hints.host));
  for (const [name, value] of [
    ['host', server],
    ['user', user],
  ] as const) {
    if (!/\p{Cc}/u.test(value ?? '')) continue;
    throw new UserError(
      `db-${name}: the value has a line break or another control character in it`,
      `Correct it where it is: in the input db-${name}, or in the environment of Odoo’s container.`,
    );
  }
  return {
    host: server,
    port: settings.dbPort ?? conf?.dbPort ?? hints.port,
    user,
    password: settings.dbPassword ?? conf?.dbPassword ?? (await hints.password?.(user)),
    sslmode: hints.beside ? undefined : conf?.dbSslmode,
  };
}

/** What leads to a filestore. */
interface FilestoreClues {
  readonly conf: OdooConfFile | undefined;
  /** Accounts that may look at it. */
  readonly readers: readonly string[];
}

async function locateFilestore(
  site: Site,
  wanted: true | string,
  database: string,
  { conf, readers }: FilestoreClues,
): Promise<{ readonly filestore: Filestore | undefined; readonly lookedIn: readonly string[] }> {
  const { host, accounts } = site.files;
  const dataDirs = typeof wanted === 'string' ? [] : await dataDirsOf(host, conf, readers);
  const folders =
    typeof wanted === 'string' ? [wanted] : dataDirs.map((folder) => `${folder}/filestore/${database}`);
  const filestore = await findFilestore(host, accounts, folders, readers);
  // A folder that cannot be seen may still exist.
  if (folders.every((folder) => site.obstacle(folder) !== undefined)) assertUsable(site, folders[0] ?? '');
  return { filestore, lookedIn: folders };
}

/**
 * The filestore where it is there already; else in the first data_dir that has others, or what else Odoo makes in one:
 * the home folder of its account alone does not count.
 */
async function placeForFilestore(
  { host, accounts }: SitePart,
  wanted: true | string,
  database: string,
  { conf, readers }: FilestoreClues,
): Promise<string> {
  if (typeof wanted === 'string') return wanted;
  const dataDirs = await dataDirsOf(host, conf, readers);
  const [first = ''] = dataDirs;
  if (dataDirs.length > 1) {
    for (const below of [`/filestore/${database}`, '/filestore', '/sessions', '/addons']) {
      const folders = dataDirs.map((folder) => folder + below);
      const looks = begunInOrder(folders, (folder) => seeFolder(host, accounts, folder, readers));
      for (const [index, look] of looks.entries()) {
        if ((await look)?.exists) return `${dataDirs[index]}/filestore/${database}`;
      }
    }
  }
  return `${first}/filestore/${database}`;
}

/** Accounts that may be allowed to look at a filestore. */
const readersOf = (conf: OdooConfFile | undefined, access: DatabaseSettings): string[] => [
  ...new Set([conf?.owner ?? 'odoo', access.user, 'odoo', 'root']),
];

/** The folders that data_dir may be: the home of the account that runs Odoo is not always known. */
async function dataDirsOf(
  host: Host,
  conf: OdooConfFile | undefined,
  readers: readonly string[],
): Promise<string[]> {
  const accounts = readers.filter((each) => each !== 'root');
  if (conf?.dataDir !== undefined) {
    const named = /^~([^/]+)/.exec(conf.dataDir)?.[1];
    const homes = /^~|\$/.test(conf.dataDir)
      ? await homesOf(host, [...accounts, 'root', ...(named === undefined ? [] : [named])])
      : new Map<string, string>();
    const folders = expandDataDir(conf.dataDir, homes);
    if (folders.length > 0) return folders;
    throw new UserError(
      `data_dir in ${conf.path} is no absolute path, and begins with no home folder that the host knows`,
      'Set the input filestore to the path of the database’s filestore.',
    );
  }
  // Odoo's own default is below the home of the account that runs it; in its Docker image it is /var/lib/odoo.
  const below = [...(await homesOf(host, accounts)).values()].map((home) => `${home}/.local/share/Odoo`);
  return [...new Set([...below, '/var/lib/odoo/.local/share/Odoo', '/var/lib/odoo'])];
}

/** The home folders of those accounts that the host knows. */
async function homesOf(host: Host, accounts: readonly string[]): Promise<Map<string, string>> {
  const script = 'for a do getent passwd -- "$a" | cut -d: -f1,6; done; :';
  const lines = (await run(host, { argv: ['sh', '-c', script, 'sh', ...accounts] })).split('\n');
  return new Map(
    lines.flatMap((line) => {
      const [name = '', home = ''] = line.split(':');
      return home === '' ? [] : [[name, home]];
    }),
  );
}

/**
 * The role that Odoo itself uses; undefined where only odoo.conf could tell, and there is none.
 *
 * @param dbUser the input
 */
export function odooRoleOf(
  { conf, postgres }: Pick<Installation, 'conf' | 'postgres'>,
  dbUser: string | undefined,
): OdooRole | undefined {
  if (dbUser === undefined) return { name: postgres.role };
  return conf?.dbUser === undefined ? undefined : { name: conf.dbUser, password: conf.dbPassword };
}
