import type { RestoreSource } from '../../backup-reader/open.ts';
import { dumpMajorOf, serverMajorOf } from '../../backup-reader/versions.ts';
import type { Receipt } from '../../catalog/receipt.ts';
import { majorOf } from '../../postgres/version.ts';

/** How many times as large as its compressed dump a database is, about. */
const GROWTH = 5;

/** Bytes that the database takes on a server's disk, about. */
export const databaseBytesOf = ({ description, dump }: RestoreSource): number =>
  description?.databaseBytes ?? dump.size * GROWTH;

/** Name of the database that the backup is of. */
export const databaseOf = ({ database }: RestoreSource): string => database ?? 'odoo';

/**
 * The oldest major version that takes the dump: of the server that it comes from, and unless it is plain SQL, of the
 * pg_dump that wrote it. 0: it is not known.
 */
export const neededMajor = (source: RestoreSource): number =>
  majorFor(source.dump.kind === 'plain', serverMajorOf(source), dumpMajorOf(source));

/** The same, by what a receipt says. */
export const majorOfBackup = ({ format, postgres }: Pick<Receipt, 'format' | 'postgres'>): number =>
  majorFor(/odoo|plain/.test(format), majorOf(postgres.server), majorOf(postgres.client));

const majorFor = (isPlain: boolean, server = 0, pgDump = 0): number =>
  isPlain ? server : Math.max(server, pgDump);
