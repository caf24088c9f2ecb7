import type { Sandbox } from './sandbox.ts';
import { type BootedHost, bootHost, makeImage } from './systemd-host.ts';

/** Odoo 19 on Debian 13 with PostgreSQL 17, or Odoo 14 on Debian 11 with PostgreSQL 13. */
export type OdooMajor = 19 | 14;

/**
 * A Debian on which a real Odoo serves the database `shop`, with an addon whose code is a git checkout at its first
 * commit: image.sh says more.
 */
export interface OdooHost extends BootedHost {
  readonly odoo: OdooMajor;
  readonly database: 'shop';
  /** The checkout, of deploy's. */
  readonly checkout: '/opt/erp';
  /** Where Odoo's pages are, from here. */
  readonly url: string;
}

/** Makes what all such hosts start from, where it is not there yet. @returns for `ODOO_HOSTS` */
export const makeOdooImages = (trixieLayers: string): Promise<string> =>
  makeImage('odoo-host', trixieLayers.split(':').at(-1) ?? '');

/** Boots a fresh host. Lets in the sandbox's client key. */
export async function startOdooHost(
  { keys }: Pick<Sandbox, 'keys'>,
  odoo: OdooMajor,
  sudoers: string,
): Promise<OdooHost> {
  const lines = process.env.ODOO_HOSTS?.split('\n').map((line) => line.split(' ')) ?? [];
  const layers = new Map(lines.map(([version = '', path = '']) => [version, path])).get(String(odoo));
  if (!layers) throw new Error('This test needs a host with Odoo: run npm run test:hosts');
  const booted = await bootHost(keys, { layers, sudoers });
  return { ...booted, odoo, database: 'shop', checkout: '/opt/erp', url: `http://${booted.host}:8069` };
}
