import { openReconnectingHost } from '../../../host/ssh/open-host.ts';
import type { OdooAccess } from '../../../odoo/access.ts';
import { findInstallation, odooRoleOf } from '../../../odoo/installation.ts';
import { openSite } from '../../../odoo/open-site.ts';
import type { Run } from '../../../platform/run.ts';
import { databaseFileSystem } from '../../../postgres/disk-space.ts';
import { isSuperRole, ownerLogin } from '../../../postgres/owner-login.ts';
import { spareOf, whileServerHasSpace } from '../../../restore/space-watch.ts';
import { UserError } from '../../../util/errors.ts';
import { formatBytes } from '../../../util/format.ts';
import type { TestServer } from './server.ts';

/** The server of Odoo itself, by SSH. */
export interface OdooHost extends OdooAccess {
  /** Creates the database and its extensions, where the role of Odoo may not. */
  readonly adminUser: string | undefined;
}

/**
 * Logs in to the host of Odoo, to restore beside the database in use.
 *
 * @param database that the backup is of
 * @param databaseBytes that the scratch database will take
 * @throws UserError when it cannot be reached, or has too little space
 */
export async function openOdooHost(
  { ssh, odoo, adminUser, ...where }: OdooHost,
  database: string,
  databaseBytes: number,
  { platform, signal }: Run,
): Promise<TestServer> {
  await using resources = new AsyncDisposableStack();
  // Also after the signal: the scratch database has to go.
  const host = resources.use(await openReconnectingHost(ssh, platform, signal));
  const site = await openSite(host, where);
  const secret = (value: string) => platform.secret(value);
  const settings = { ...odoo, filestore: false };
  const installation = await findInstallation(site, settings, database, { secret });
  const { postgres, tools } = installation;
  const admin = adminUser === undefined ? postgres : await postgres.asRole(adminUser);
  const odooRole = odooRoleOf(installation, odoo.dbUser);
  // A superuser makes the scratch database for Odoo's own role, which loads it.
  const isSuper = await isSuperRole(postgres, postgres.role);
  const owner = isSuper && odooRole ? odooRole.name : postgres.role;
  const app = await ownerLogin(postgres, owner, odooRole);
  const disk = await databaseFileSystem(admin);
  const free = disk && disk.free - spareOf(disk);
  if (free !== undefined && free < databaseBytes) throw noSpace(host.label, databaseBytes, free);
  const kept = resources.move();
  return {
    label: host.label,
    admin,
    app,
    owner,
    also: new Set(),
    tools,
    jobs: tools.cores,
    whileSpaceLasts: (runs, body) =>
      whileServerHasSpace({ loader: admin, databaseDisk: disk, walDisk: undefined }, runs, body),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

function noSpace(label: string, needed: number, free: number): UserError {
  return new UserError(
    `restore-test: the database takes about ${formatBytes(needed)}, and ${label} has ${formatBytes(free)} left for it`,
    'Free space there, or set restore-test to runner.',
  );
}
