import { feed } from '../host/feed.ts';
import { CommandError } from '../host/host.ts';
import { decoded } from '../postgres/custom-format/contents.ts';
import { knowsRestrict } from '../postgres/foreign-sql.ts';
import { loadFailure } from '../postgres/load-errors.ts';
import type { Postgres } from '../postgres/server.ts';
import { MAINTENANCE_DATABASE } from '../postgres/sql.ts';
import type { Extension } from '../postgres/traits.ts';
import type { DumpSource } from './dump.ts';
import { contentsOf } from './dump-contents.ts';

/** pg_dump makes schemas and extensions before anything else. */
const HEAD_BYTES = 2 ** 18;
const FIRST_OBJECT = /^(?:CREATE (?:TABLE|SEQUENCE|VIEW)|COPY) /m;

const NAME = /"(?:[^"]|"")+"|\w+/.source;
const CREATE_EXTENSION = new RegExp(
  `^CREATE EXTENSION IF NOT EXISTS (${NAME}) WITH SCHEMA (${NAME});$`,
  'gm',
);

/**
 * The extensions that a dump makes by itself, for backups that do not say what their database had. Read only.
 *
 * @param loader with a pg_restore that reads the dump
 * @returns undefined for a dump in directory format that is not known here, which only a file on the host would tell
 * @throws UserError when the dump cannot be read
 */
export async function extensionsIn(dump: DumpSource, loader: Postgres): Promise<Extension[] | undefined> {
  const contents = await contentsOf(dump, loader.client.major);
  if (contents) {
    const entries = contents.entries().filter(({ kind }) => kind === 'EXTENSION');
    return [...entries.flatMap(({ definition = '' }) => madeBy(decoded(definition)))];
  }
  if (dump.kind === 'directory') return undefined;
  const sql =
    dump.kind === 'plain'
      ? await headOf(dump.open({ restricted: await knowsRestrict(loader, MAINTENANCE_DATABASE) })) // as the load will
      : await definitionsIn(dump.open(), loader);
  return madeBy(sql.split(FIRST_OBJECT, 1)[0] ?? '');
}

const madeBy = (sql: string): Extension[] =>
  [...sql.matchAll(CREATE_EXTENSION)].map(([, name = '', schema = '']) => ({
    name: plainName(name),
    version: '',
    schema: plainName(schema),
  }));

async function headOf(sql: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of sql) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= HEAD_BYTES) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The table of contents, where they are, is at the start: pg_restore reads no further. */
async function definitionsIn(dump: AsyncIterable<Buffer>, loader: Postgres): Promise<string> {
  try {
    return await feed(loader.host, loader.reading(['--section=pre-data', '--file=-']), dump);
  } catch (error) {
    throw error instanceof CommandError ? loadFailure(error, 'a database') : error;
  }
}

const plainName = (name: string): string =>
  name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
