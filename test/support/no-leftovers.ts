import type { Leftovers } from '../../src/restore/leftovers/leftovers.ts';

/** What restores have left where there were none. */
export const noLeftovers: Leftovers = {
  halfSwapped: [],
  placed: [],
  unused: { databases: [], folders: [] },
  interrupted: [],
  expired: [],
  kept: [],
};
