import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type PostgresServer, psql } from './postgres.ts';
import { run } from './processes.ts';

/** The names of a zip's members, in its order, as another program reads them. */
export async function members(zip: string): Promise<string[]> {
  return (await run(['unzip', '-Z1', zip])).trim().split('\n');
}

/** The content of one member; `*` may stand for anything. */
export function member(zip: string, name: string): Promise<Buffer> {
  return buffer(spawn('unzip', ['-p', zip, name], { stdio: ['ignore', 'pipe', 'inherit'] }).stdout);
}

/** Loads `dump.sql` into an empty database as Odoo does: its own role, the first error ends it. */
export async function restoreSql(server: PostgresServer, zip: string, database: string): Promise<void> {
  await psql(server, database, Readable.from(await member(zip, 'dump.sql')), 'odoo');
}

/** What leads a client program to a database, as the role odoo. */
function connection(server: PostgresServer, database: string): string[] {
  return ['-h', server.socket, '-p', String(server.port), '-U', 'odoo', '-d', database];
}

/** Loads a dump in custom format. */
export async function restoreCustom(server: PostgresServer, dump: Buffer, database: string): Promise<void> {
  const options = ['--exit-on-error', '--no-owner', ...connection(server, database)];
  await run([join(server.bin, 'pg_restore'), ...options], { input: Readable.from(dump) });
}

/** A whole database as text: equal for databases that hold the same. */
export async function sqlOf(server: PostgresServer, database: string): Promise<string> {
  const sql = await run([join(server.bin, 'pg_dump'), '--no-owner', ...connection(server, database)]);
  return withoutRestrict(sql);
}

/** Since 15.14 these lines hold a random word. */
export const withoutRestrict = (sql: string): string => sql.replace(/^\\(un)?restrict .*$/gm, '');

/** A dump in custom or directory format as text, which reads all of it: comparable with `sqlOf`. */
export async function dumpAsSql(server: PostgresServer, path: string): Promise<string> {
  return withoutRestrict(await run([join(server.bin, 'pg_restore'), '--no-owner', '-f', '-', path]));
}
