import type { SudoPolicy } from '../host/accounts.ts';
import type { Host } from '../host/host.ts';
import type { ComposeSettings } from './compose/project.ts';
import { composeSite } from './compose/site.ts';
import { plainSite, type Site } from './site.ts';

/** Finds out where the parts of an Odoo are, read only. @throws UserError naming the input to change */
export const openSite = async (
  host: Host,
  { sudo, compose }: { readonly sudo: SudoPolicy; readonly compose: ComposeSettings | null },
): Promise<Site> => (compose ? composeSite(host, sudo, compose) : plainSite(host, sudo));
