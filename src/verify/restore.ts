import { UserError } from '../errors.ts';
import type { Findings } from './prove.ts';

/** Proof level `restore`: the archive is restored into a database that is thrown away, and compared. */
export async function proveRestore(): Promise<Findings> {
  throw new UserError('Nothing can be verified by a restore yet', 'Choose verify: contents.');
}
