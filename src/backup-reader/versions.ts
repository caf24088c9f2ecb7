import { majorOf } from '../postgres/version.ts';
import type { RestoreSource } from './open.ts';

/** Major version of the pg_dump that wrote a backup; undefined: the backup does not say. */
export const dumpMajorOf = ({
  description,
  receipt,
}: Pick<RestoreSource, 'description' | 'receipt'>): number | undefined =>
  description?.postgres.pgDump ?? majorOf(receipt?.postgres.client);

/** What says of which server a backup is. */
interface WithServer {
  readonly postgres: { readonly server: string };
}

/** Major version of the server that a backup is of; undefined: the backup does not say. */
export const serverMajorOf = ({
  description,
  receipt,
}: {
  readonly description: WithServer | undefined;
  readonly receipt: WithServer | undefined;
}): number | undefined => majorOf(description?.postgres.server ?? receipt?.postgres.server);
