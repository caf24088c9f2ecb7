/**
 * What pg_restore says of an error in its own words. Our commands run with `LC_ALL=C`, so these are the same on every
 * host; what comes from the server is in the server's language, and nothing is decided by it.
 */

/**
 * A line in which pg_restore names what it is at, under `--verbose`: `pg_restore: from TOC entry 215; 1259 16390 TABLE
 * t odoo`.
 */
const AT_ENTRY = /^pg_restore: from TOC entry (\d+); /gm;

/** Lines of `--verbose` without a level of their own. Errors, warnings and hints have one, from PostgreSQL 12 on. */
const PROGRESS = /^pg_restore: (?!error: |warning: |detail: |hint: ).*\n?/gm;

/**
 * The entry of a table of contents at which `pg_restore --verbose --exit-on-error` stopped.
 *
 * @param list as `pg_restore --list` prints it
 * @returns its line; undefined: it was at none
 */
export function failedEntry(stderr: string, list: string): string | undefined {
  const id = [...stderr.matchAll(AT_ENTRY)].at(-1)?.[1];
  return id === undefined ? undefined : list.split('\n').find((line) => line.startsWith(`${id}; `));
}

/** The first error, if that is all there: the one of a session among several comes before the end of all. */
const FIRST_ERROR = /^pg_restore: (?:warning|error): (?!a worker process died)/m;

/** The errors and warnings alone. What comes before may be a line of several sessions, or the rest of one. */
export function withoutProgress(stderr: string): string {
  if (!stderr.includes('pg_restore: error: ')) return stderr;
  const from = Math.max(0, stderr.search(FIRST_ERROR));
  return stderr.slice(from).replaceAll(PROGRESS, '').trim();
}

/**
 * What pg_restore says only where the bytes of a dump are not what pg_dump writes (`src/bin/pg_dump` of PostgreSQL 12
 * to 18). Everything else may be the machine's fault: no memory, no disk, a program that is too old or lacks a
 * compression.
 */
const DAMAGE = [
  /could not read from input file: (?:end of file|Success)/,
  /(?:unexpected end of file|did not find magic string|input file does not appear to be a valid|input file is too short)/,
  /(?:sanity check on integer size|expected format \(\d+\) differs|unrecognized file format|invalid creation date)/,
  /(?:entry ID -?\d+ out of range|could not find entry for ID|bad (?:table )?dumpId|unexpected section code)/,
  /(?:unrecognized encoding|invalid (?:ENCODING|STDSTRINGS|SEARCHPATH) item|unexpected data offset flag)/,
  /(?:unrecognized data block type|(?:found )?unexpected block ID|could not find block ID|invalid OID for large object)/,
  /(?:invalid compression code|could not (?:uncompress|decompress) data|could not (?:close compression library|end decompression))/,
  /(?:invalid line in|error reading) large object TOC file/,
  // Of a file that is read, gzip fails when it is cut short; the reason that is printed behind it is none.
  /could not close data file "[^"]*\.dat(?:\.\w+)?"/,
  /could not open (?:input )?file "[^"]*\.(?:dat|toc)(?:\.\w+)?": No such file or directory/,
].map(({ source }) => new RegExp(`^pg_restore: error: ${source}`, 'm'));

/** Whether pg_restore has found that a dump is damaged or cut short. */
export const saysDamaged = (stderr: string): boolean => DAMAGE.some((words) => words.test(stderr));

/** Whether pg_restore is older than the pg_dump which wrote the dump. */
export const saysTooOld = (stderr: string): boolean =>
  /^pg_restore: error: unsupported version \(.*\) in file header/m.test(stderr);
