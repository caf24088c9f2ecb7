import type { Format, Receipt } from '../../catalog/receipt.ts';
import { feedThrough } from '../../host/feed.ts';
import { CommandError, type Host } from '../../host/host.ts';
import { run } from '../../host/run.ts';
import { findTools, oldestFitting } from '../../host/tools.ts';
import { saysDamaged } from '../../postgres/pg-restore-errors.ts';
import { ContentError, UserError } from '../../util/errors.ts';
import { none } from '../../util/iterables.ts';
import { fetchPrograms, type PostgresBinaries } from '../restore/servers/binaries.ts';
import type { FilesThere } from './attached-files.ts';
import { SqlText } from './sql-text.ts';

/** A pg_restore of this machine that reads a dump. */
export interface PgRestore {
  readonly host: Host;
  readonly program: string;
  /** `15.18` */
  readonly version: string;
}

/** What reading a dump by pg_restore works with. */
export interface Conversion {
  /** A pg_restore for a dump that is not known here. @throws UserError when there is none */
  readonly pgRestore: () => Promise<PgRestore>;
  readonly signal: AbortSignal;
}

/** Formats whose dump is plain SQL. */
const PLAIN: readonly Format[] = ['odoo', 'plain'];
export const isPlain = (format: Format): boolean => PLAIN.includes(format);

/** The newest pg_dump whose dumps are known to be read here without pg_restore. */
const NEWEST_READ = 18;

/** Whether a backup may have a dump that is not read without pg_restore: by a newer pg_dump than are known. */
export const mayNeedPgRestore = ({ format, postgres }: Pick<Receipt, 'format' | 'postgres'>): boolean =>
  !isPlain(format) && !(Number.parseInt(postgres.client, 10) <= NEWEST_READ);

/**
 * The pg_restore that is the closest to the pg_dump which wrote the backup: of the same major version, or a newer one.
 *
 * @param binaries where this machine has none
 * @throws UserError when neither this machine nor `binaries` has a pg_restore that is new enough
 */
export async function findPgRestore(
  host: Host,
  postgres: Receipt['postgres'],
  binaries: PostgresBinaries | undefined,
): Promise<PgRestore> {
  const needed = Number.parseInt(postgres.client, 10);
  const { clients } = await findTools(host);
  const installed = oldestFitting(clients, needed);
  const client = installed ?? (binaries && (await fetchPrograms(host, binaries)));
  if (!client || client.major < needed) throw noPgRestore(host, clients, needed);
  const program = `${client.folder}/pg_restore`;
  const printed = await run(host, { argv: [program, '--version'] });
  return { host, program, version: /\) (\S+)/.exec(printed)?.[1] ?? String(client.major) };
}

function noPgRestore(host: Host, clients: readonly { readonly major: number }[], needed: number): UserError {
  const there = clients.length > 0 ? `it has ${clients.map(({ major }) => major).join(', ')}` : 'it has none';
  return new UserError(
    `verify: the dump was written by pg_dump ${needed}, and ${host.label} has no pg_restore that reads it: ${there}`,
    `Install it in a step before: apt-get install postgresql-client-${needed} (from https://apt.postgresql.org where the distribution has an older one), or set postgres-binaries-url.`,
  );
}

interface ConvertedDump {
  /** For messages. */
  readonly name: string;
  readonly there: FilesThere;
}

/**
 * Has a dump in custom format read to its end by pg_restore, and looks at the SQL that it holds. All of `dump` is read
 * in any case.
 *
 * @param target name of the dump, for messages; and the files that there are
 * @throws ContentError when it is not one, or was cut short
 */
export async function convertCustomDump(
  conversion: Conversion,
  target: ConvertedDump,
  dump: AsyncIterable<Buffer>,
): Promise<SqlText> {
  const chunks = dump[Symbol.asyncIterator]();
  // Without `return`: pg_restore may stop reading, and what comes then is checked nevertheless.
  const shared = { [Symbol.asyncIterator]: () => ({ next: () => chunks.next() }) };
  const drain = async () => {
    while (!(await chunks.next()).done);
  };
  try {
    const sql = await convert(conversion, target, ['--file=-'], shared);
    await drain();
    return sql;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    await drain(); // where the bytes themselves are wrong, that says more
    throw unreadable(target.name, error);
  }
}

/** The same for a dump in directory format, which is in a folder of this machine. */
export async function convertDirectoryDump(
  conversion: Conversion,
  folder: string,
  there: FilesThere,
): Promise<SqlText> {
  try {
    return await convert(
      conversion,
      { name: 'dump/', there },
      ['--format=directory', '--file=-', folder],
      none(),
    );
  } catch (error) {
    throw error instanceof CommandError ? unreadable('dump/', error) : error;
  }
}

async function convert(
  { pgRestore, signal }: Conversion,
  { name, there }: ConvertedDump,
  args: readonly string[],
  input: AsyncIterable<Buffer>,
): Promise<SqlText> {
  const { host, program } = await pgRestore();
  const sql = new SqlText(name, there);
  await feedThrough({ host, command: { argv: [program, ...args] }, signal }, input, (output) =>
    sql.readAll(output),
  );
  sql.finish();
  return sql;
}

function unreadable(name: string, error: CommandError): UserError {
  const { stderr, signal } = error.exit;
  const said = stderr.replace(/^pg_restore: (?:error: )?/gm, '').replaceAll(/\s+/g, ' ');
  if (signal !== undefined || !saysDamaged(stderr)) {
    return new UserError(
      `pg_restore could not read ${JSON.stringify(name)}: ${signal ? `it was ended by signal ${signal}` : said}`,
      'This says nothing about the archive. Where pg_restore is too old, or was built without a compression, install another one.',
      { cause: error },
    );
  }
  return new ContentError(
    `${JSON.stringify(name)} is not a whole dump: pg_restore cannot read it to its end: ${said}.`,
    'It was cut short when it was made, or changed since. Choose another backup.',
    { cause: error },
  );
}
