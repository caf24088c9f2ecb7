import { UserError } from '../../util/errors.ts';
import { groupsOf, type Inventory } from './groups.ts';

/**
 * The hosts that `shops, web*, !staging` means, in the order of the file: names of hosts and groups, where `*` stands
 * for any text, and `!` takes out what follows it.
 *
 * @param limit undefined: all of them
 * @throws UserError for a word that means no host
 */
export function limitedHosts(inventory: Inventory, limit: string | undefined): string[] {
  const words = (limit ?? 'all').split(/[\s,]+/).filter((word) => word !== '');
  const [out, within] = [words.filter(isExclusion), words.filter((word) => !isExclusion(word))];
  const excluded = new Set(out.flatMap((word) => meant(inventory, word.slice(1))));
  const included = new Set((within.length > 0 ? within : ['all']).flatMap((word) => meant(inventory, word)));
  return [...inventory.hosts.keys()].filter((host) => included.has(host) && !excluded.has(host));
}

const isExclusion = (word: string): boolean => word.startsWith('!');

function meant(inventory: Inventory, word: string): string[] {
  const pattern = new RegExp(`^${word.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`);
  const hosts = [...inventory.hosts.keys()].filter(
    (host) => pattern.test(host) || groupsOf(inventory, host).some(({ name }) => pattern.test(name)),
  );
  if (hosts.length > 0) return hosts;
  throw new UserError(
    `limit: '${word}' is no host and no group with hosts of ${inventory.path}`,
    `Its groups are ${[...inventory.groups.keys()].slice(0, 20).join(', ')}.`,
  );
}
