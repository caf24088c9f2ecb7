import type { Host } from '../host/host.ts';
import { findOdoo, type Odoo, type OdooServer } from '../odoo/installation.ts';
import { openSite } from '../odoo/open-site.ts';
import type { Site } from '../odoo/site.ts';
import type { Platform } from '../platform/platform.ts';
import type { BackupOptions } from './options.ts';

/** A connection to the host, and what is found out over it. Disposing of it closes the connection. */
export interface HostLook extends AsyncDisposable {
  readonly host: Host;
  readonly site: Promise<Site>;
  /** Known before `odoo`, or not at all. */
  readonly server: Promise<OdooServer>;
  readonly odoo: Promise<Odoo>;
}

/** Begins to look at a host, by commands that only read. Whoever asks for something is told why it was not found. */
export function lookAt(host: Host, inputs: BackupOptions, platform: Platform): HostLook {
  const server = Promise.withResolvers<OdooServer>();
  const site = openSite(host, inputs);
  const secret = (password: string) => platform.secret(password);
  const odoo = site.then((found) => findOdoo(found, inputs.odoo, { secret, onServer: server.resolve }));
  odoo.catch(server.reject);
  for (const each of [site, server.promise, odoo]) each.catch(() => {}); // thrown to who asks for them
  const end = () => Promise.resolve(host[Symbol.asyncDispose]());
  return { host, site, server: server.promise, odoo, [Symbol.asyncDispose]: end };
}
