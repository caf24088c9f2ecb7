import { explaining } from '../../host/explaining.ts';
import type { Command, Host } from '../../host/host.ts';
import { run, succeeds } from '../../host/run.ts';
import { TempFolder } from '../../host/temp-folder.ts';
import { UserError } from '../../util/errors.ts';
import type { Installation, OdooSettings } from '../installation.ts';
import { accountsOf, findOdooServer, type OdooServerProgram } from '../program.ts';
import type { Site } from '../site.ts';
import { freePort } from './free-port.ts';
import { guestConf } from './guest-conf.ts';

/** Which Odoo is to be run beside the one in use. */
export interface GuestOptions {
  /** Units of systemd that run the Odoo in use: they show where its program is. */
  readonly units: readonly string[];
  /** The account that owns the filestore of the Odoo in use, where that is known. */
  readonly owner: string | undefined;
  /** The account that runs its programs; undefined: that of Odoo. */
  readonly user: string | undefined;
  /** In Compose: the image that it runs in; undefined: that of the Odoo in use. */
  readonly image: string | undefined;
}

/** Where a guest can run. */
export interface GuestPlace {
  readonly host: Host;
  /** The account that runs its programs, for `Command.as`. */
  readonly as: string | undefined;
  /** undefined: none was found, and another command has to start it. */
  readonly program: OdooServerProgram | undefined;
  /** Content of the odoo.conf in use; empty: there is none. */
  readonly confText: string;
}

/**
 * Finds out where and as whom another Odoo can run, read only.
 *
 * @throws UserError where the account that is asked for cannot be used
 */
export async function findGuest(
  site: Site,
  { conf }: Pick<Installation, 'conf'>,
  { units, owner, user, image }: GuestOptions,
): Promise<GuestPlace> {
  const { host, accounts } = site.guest(image);
  if (user !== undefined && !(await succeeds(host, { argv: ['true'], as: user }))) {
    throw new UserError(
      `rehearse-user: no command can be run as ${user} on ${host.label}`,
      `Check the name. ${accounts.sudoersHint([user])}`,
    );
  }
  // Root may own both, and runs no Odoo.
  const owners = [owner, conf?.owner, 'odoo'].flatMap((each) =>
    each === undefined || each === 'root' ? [] : [each],
  );
  const program = await findOdooServer(host, accounts, { units, conf, owners });
  const readers = [conf?.owner ?? 'odoo', 'odoo', 'root'];
  const reading = conf && (await accounts.firstAble(readers, { argv: ['cat', '--', conf.path] }));
  const odoo = program ? program.as : (await accountsOf(accounts, owners))[0];
  return { host, as: user ?? odoo, program, confText: reading?.stdout ?? '' };
}

/** Another Odoo on a database of its own: nothing runs yet. Disposing of it removes its configuration. */
export interface Guest extends AsyncDisposable, GuestPlace {
  readonly database: string;
  /** Free when the guest was opened. */
  readonly port: number;
  /** Path of its odoo.conf on the host. */
  readonly conf: string;
  /** What its programs get. Odoo takes `conf` from it where no other is given. */
  readonly environment: Pick<Command, 'env' | 'secretEnv'>;
}

/** What a guest works on, and how the Odoo in use reaches its database. */
export interface GuestData extends Pick<Installation, 'conf'> {
  /** What the inputs say of it. */
  readonly settings: OdooSettings;
  readonly database: string;
  /** Path; undefined: it has none. */
  readonly filestore: string | undefined;
}

/** Bytes that its temporary folder takes at most. */
const CONF_BYTES = 1024 * 1024;

/**
 * Shell: writes the configuration, and makes a data_dir with the filestore wherever that is, and with the modules that the
 * Odoo in use has got from Odoo's shop, where the filestore shows its data_dir.
 */
const WRITE = `umask 077; conf=$1 data=$2 database=$3 filestore=$4
  cat >"$conf" && mkdir -- "$data" "$data/filestore" || exit
  [ -n "$filestore" ] || exit 0
  ln -s -- "$filestore" "$data/filestore/$database" || exit
  case $filestore in
  */filestore/*) addons=\${filestore%/filestore/*}/addons; [ ! -d "$addons" ] || ln -s -- "$addons" "$data/addons" ;;
  esac`;

/**
 * Writes the configuration of a guest into a temporary folder, and chooses its port. Its data_dir is there as well, for what
 * it keeps beside the filestore: nobody who works with the Odoo in use is logged out, and nothing stays. The password of the database is not
 * in it: Odoo's programs get it as PGPASSWORD, which libpq takes where odoo.conf has none.
 *
 * @throws UserError where the host has no space for it, or no free port
 */
export async function openGuest(
  site: Site,
  place: GuestPlace,
  { conf, settings, database, filestore }: GuestData,
): Promise<Guest> {
  const { host, as, program, confText } = place;
  await using resources = new AsyncDisposableStack();
  const folder = await TempFolder.make(host, as, CONF_BYTES);
  if (!folder) {
    throw new UserError(
      `${host.label} has no space for a temporary folder`,
      'Free space in /tmp or /var/tmp there.',
    );
  }
  resources.use(folder);
  const port = await freePort(host);
  const path = `${folder.path}/odoo.conf`;
  const dataDir = `${folder.path}/data`;
  const text = guestConf(confText, { database, port, dataDir, major: program?.major });
  const argv = ['sh', '-c', WRITE, 'sh', path, dataDir, database, filestore ?? ''];
  await run(host, { argv, as }, { input: text }).catch(
    explaining(({ exit }) => [`${path} cannot be written: ${exit.stderr}`, 'Free space on the host.']),
  );
  const inside = await site.odooEnvironment();
  // What odoo.conf leaves to libpq is left to it here as well.
  const given = conf ? undefined : settings;
  const password = conf?.dbPassword ?? inside.secretEnv?.PGPASSWORD ?? given?.dbPassword;
  const env = {
    ...inside.env,
    ...defined({
      PGHOST: conf?.dbHost ?? inside.env?.PGHOST ?? given?.dbHost,
      PGPORT: conf?.dbPort?.toString() ?? inside.env?.PGPORT ?? given?.dbPort?.toString(),
      PGUSER: conf?.dbUser ?? inside.env?.PGUSER ?? given?.dbUser,
      PGSSLMODE: conf?.dbSslmode,
      ODOO_REHEARSAL_FILESTORE: filestore,
    }),
    PGDATABASE: database,
    ODOO_RC: path,
    // Its name before Odoo 10; later ones warn of that.
    ...(program && program.major < 10 ? { OPENERP_SERVER: path } : {}),
    ODOO_REHEARSAL_CONF: path,
    ODOO_REHEARSAL_DATABASE: database,
    ODOO_REHEARSAL_PORT: String(port),
  };
  const kept = resources.move();
  return {
    ...place,
    database,
    port,
    conf: path,
    environment: { env, ...(password !== undefined && { secretEnv: { PGPASSWORD: password } }) },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

const defined = (values: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
