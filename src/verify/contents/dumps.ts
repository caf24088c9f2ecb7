import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { DirectoryEntry } from '../../archive/central-directory.ts';
import { directoryFile } from '../../backup-reader/dump.ts';
import type { Members } from '../../backup-reader/members.ts';
import type { Format, Receipt } from '../../catalog/receipt.ts';
import { ContentError, UserError } from '../../util/errors.ts';
import { formatBytes } from '../../util/format.ts';
import { readCustomDump } from './custom-dump.ts';
import { DirectoryDump } from './directory-dump.ts';
import { DumpedRows } from './dumped-rows.ts';
import { convertCustomDump, convertDirectoryDump } from './pg-restore.ts';
import type { Look } from './prove.ts';
import { SqlText } from './sql-text.ts';

/** Reads one entry to its end. @throws ContentError when it is not what it should be */
export type DumpCheck = (content: AsyncIterable<Buffer>) => Promise<void>;

/** What is to be done with the entries that hold the database. */
export interface Dumps extends AsyncDisposable {
  readonly of: ReadonlyMap<DirectoryEntry, DumpCheck>;
  /** Once all entries have passed. @returns what the dumps hold @throws ContentError at one that is not whole */
  finish(): Promise<readonly ReadDump[]>;
}

/** What a dump holds of attachments. */
export interface ReadDump {
  /** For messages. */
  readonly name: string;
  /** Files that its attachments name; undefined: their table is not in it. */
  readonly names: ReadonlySet<string> | undefined;
}

/** Reads a dump in custom format. @throws ContentError when it is not a whole one */
export async function readDump(look: Look, name: string, content: AsyncIterable<Buffer>): Promise<ReadDump> {
  const rows = new DumpedRows(name);
  const unknown = await readCustomDump(rows, content);
  return unknown ? await convertCustomDump(look, name, unknown) : rows;
}

/** @throws ContentError when a dump that the format asks for is not there */
export async function dumpsOf(look: Look, receipt: Receipt, members: Members): Promise<Dumps> {
  if (receipt.format === 'directory') return directoryDump(look, members);
  const read: ReadDump[] = [];
  const of = new Map<DirectoryEntry, DumpCheck>();
  for (const { name, entry } of expectedDumps(receipt.format, members)) {
    of.set(entry, async (content) => {
      read.push(name.endsWith('.sql') ? await readSql(name, content) : await readDump(look, name, content));
    });
  }
  return { of, finish: async () => read, async [Symbol.asyncDispose]() {} };
}

/** Reads a dump as SQL. @throws ContentError when it is not a whole one */
export async function readSql(name: string, content: AsyncIterable<Buffer>): Promise<ReadDump> {
  const sql = new SqlText(name);
  await sql.readAll(content);
  sql.finish();
  return sql;
}

interface ExpectedDump {
  readonly name: string;
  readonly entry: DirectoryEntry;
}

function expectedDumps(format: Format, members: Members): ExpectedDump[] {
  const top = [...members].filter(([name]) => !name.includes('/'));
  const find = (end: string): ExpectedDump => {
    const [name, entry] = top.find(([each]) => each.endsWith(end)) ?? [];
    if (name === undefined || !entry)
      throw missing(end === '.dump' ? 'the dump for pg_restore' : '"dump.sql"');
    return { name, entry };
  };
  if (format === 'dual') return [find('.dump'), find('.sql')];
  return [find(format === 'custom' ? '.dump' : '.sql')];
}

const missing = (what: string) =>
  new ContentError(
    `The archive lacks ${what}.`,
    'It was changed after it was written. Choose another backup.',
  );

async function directoryDump(look: Look, members: Members): Promise<Dumps> {
  const files = [...members].filter(([name]) => name.startsWith('dump/'));
  if (!members.has('dump/toc.dat')) throw missing('"dump/toc.dat"');
  const dump = await DirectoryDump.open(look.reader, members);
  if (!dump) return unknownDirectory(look, files);
  return {
    of: new Map(files.map(([name, entry]) => [entry, (content) => dump.read(name, content)])),
    async finish() {
      dump.finish();
      return [dump.rows];
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** pg_restore reads a directory from a disk only: its files are written there while they pass. */
async function unknownDirectory(
  look: Look,
  files: readonly (readonly [string, DirectoryEntry])[],
): Promise<Dumps> {
  await assertSpace(files.reduce((sum, [, { size }]) => sum + size, 0));
  const folder = await mkdtemp(join(temporary(), 'odoo-backup-'));
  const of = new Map<DirectoryEntry, DumpCheck>();
  for (const [name, entry] of files) {
    const path = join(folder, directoryFile(name));
    of.set(entry, (content) => pipeline(content, createWriteStream(path)));
  }
  return {
    of,
    finish: async () => [await convertDirectoryDump(look, folder)],
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** GitHub's runner clears its own. */
const temporary = (): string => process.env.RUNNER_TEMP || tmpdir();

async function assertSpace(needed: number): Promise<void> {
  const { bavail, bsize } = await statfs(temporary());
  if (bavail * bsize > needed) return;
  throw new UserError(
    `verify: the dump of format directory takes ${formatBytes(needed)} on the runner while it is read, and ${temporary()} has ${formatBytes(bavail * bsize)} left`,
    'Free some, or set RUNNER_TEMP (or TMPDIR) to a folder on another disk.',
  );
}
