import { inTimeOfRun } from '../../host/limits.ts';
import { messageOf } from '../../util/errors.ts';
import type { OdooConf } from '../odoo-conf.ts';
import type { Site } from '../site.ts';
import { findCheckouts } from './checkouts.ts';
import type { RunningCode } from './code.ts';
import { findPackages } from './packages.ts';

/** The code that runs, or why it is not known. */
export type FoundCode =
  | { readonly known: true; readonly code: RunningCode; readonly unseen: readonly string[] }
  | { readonly known: false; readonly because: string };

/** How long a run may be held up by it. */
const LIMIT_MS = 30_000;

/** Finds out which code an Odoo runs, by read-only commands. Never fails: no backup does for it. */
export async function findCode(
  site: Pick<Site, 'host' | 'accounts' | 'odoo' | 'onMachine' | 'images'>,
  conf: (Pick<OdooConf, 'addonsPath'> & { readonly owner: string }) | undefined,
): Promise<FoundCode> {
  const folders = (conf?.addonsPath ?? []).flatMap((folder) => site.onMachine(folder) ?? []);
  const owner = conf === undefined || conf.owner === 'root' ? 'odoo' : conf.owner;
  try {
    return await inTimeOfRun(LIMIT_MS, async () => {
      const [{ checkouts, unseen }, images, packages] = await Promise.all([
        findCheckouts(site.host, site.accounts, folders, owner),
        site.images(),
        findPackages(site.odoo.host),
      ]);
      return { known: true, code: { checkouts, images, packages }, unseen };
    });
  } catch (error) {
    return { known: false, because: messageOf(error) };
  }
}
