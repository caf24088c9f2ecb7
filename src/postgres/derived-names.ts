import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path/posix';

/** `new`: being built; `old`: what it took the place of. */
export type Derivation = 'new' | 'old';

/** A database for the time of one run: of a restore test, or of a rehearsal. */
export type Temporary = 'test' | 'rehearsal';

/** PostgreSQL's NAMEDATALEN less the final zero: a longer name is cut silently. */
const MAX_NAME_BYTES = 63;
const DIGEST_LENGTH = 8;

/**
 * The name of a database that a restore of `database` makes: `prod__new_20261121034100`. A name too long for that is
 * cut, and stays unique by a digest of the whole: `customer_with_a_long_~1f2e3d4c__new_20261121034100`.
 *
 * @param timestamp of the run: YYYYMMDDHHMMSS, UTC
 */
export function derivedName(database: string, derivation: Derivation | Temporary, timestamp: string): string {
  const suffix = `__${derivation}_${timestamp}`;
  const room = MAX_NAME_BYTES - suffix.length;
  if (Buffer.byteLength(database) <= room) return database + suffix;
  const digest = createHash('sha256').update(database).digest('hex').slice(0, DIGEST_LENGTH);
  return `${cutToBytes(database, room - DIGEST_LENGTH - 1)}~${digest}${suffix}`;
}

/** Never inside of a character. */
function cutToBytes(text: string, bytes: number): string {
  let cut = '';
  for (const character of text) {
    if (Buffer.byteLength(cut + character) > bytes) break;
    cut += character;
  }
  return cut;
}

/** What `derivedName` made the name of; undefined: it is not a name that it makes of this database. */
export function parseDerivedName(
  name: string,
  database: string,
): { readonly derivation: Derivation; readonly timestamp: string } | undefined {
  const [, derivation, timestamp = ''] = /__(new|old)_(\d{14})$/.exec(name) ?? [];
  if (derivation !== 'new' && derivation !== 'old') return undefined;
  return derivedName(database, derivation, timestamp) === name ? { derivation, timestamp } : undefined;
}

/** The timestamp in a temporary name that `derivedName` made of this database; undefined: it is no such name. */
export function temporaryTimestamp(name: string, database: string, kind: Temporary): string | undefined {
  const [, found, timestamp = ''] = /__(test|rehearsal)_(\d{14})$/.exec(name) ?? [];
  return found === kind && derivedName(database, kind, timestamp) === name ? timestamp : undefined;
}

/** Whether `derivedName` made it of this database, for the time of one run. */
export const isTemporaryName = (name: string, database: string): boolean =>
  (['test', 'rehearsal'] as const).some((kind) => temporaryTimestamp(name, database, kind) !== undefined);

/** Whether `derivedName` may have made it, of whatever database, for what has a filestore as well. */
export const isDerivedName = (name: string): boolean => /.__(new|old|rehearsal)_\d{14}$/.test(name);

/** The path of such a folder, beside the given one: `/srv/filestore/prod__new_20261121034100`. */
export const derivedFolder = (
  folder: string,
  derivation: Derivation | 'rehearsal',
  timestamp: string,
): string => join(dirname(folder), derivedName(basename(folder), derivation, timestamp));

/** `20261121034100` */
export const timestampOf = (time: Date): string => time.toISOString().replaceAll(/[-:T]/g, '').slice(0, 14);
