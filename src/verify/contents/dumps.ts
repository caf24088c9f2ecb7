import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { DirectoryEntry } from '../../archive/central-directory.ts';
import { directoryFile } from '../../backup-reader/dump.ts';
import type { MemberContents } from '../../backup-reader/member-contents.ts';
import type { Members } from '../../backup-reader/members.ts';
import type { Format, Receipt } from '../../catalog/receipt.ts';
import { ContentError, UserError } from '../../util/errors.ts';
import { formatBytes } from '../../util/format.ts';
import { type AttachedFiles, type FilesThere, NOTHING_THERE } from './attached-files.ts';
import { readCustomDump } from './custom-dump.ts';
import { DirectoryDump } from './directory-dump.ts';
import { DumpedRows } from './dumped-rows.ts';
import type { Look } from './look.ts';
import { convertCustomDump, convertDirectoryDump } from './pg-restore.ts';
import { SqlText } from './sql-text.ts';

/** Reads one entry to its end. @throws ContentError when it is not what it should be */
export type DumpCheck = (content: AsyncIterable<Buffer>) => Promise<void>;

/** What is to be done with the entries that hold the database. */
export interface Dumps extends AsyncDisposable {
  /** By the names of the entries. */
  readonly of: ReadonlyMap<string, DumpCheck>;
  /** Once all entries have passed. @returns what the dumps hold @throws ContentError at one that is not whole */
  finish(): Promise<readonly ReadDump[]>;
}

/** What a dump holds of attachments. */
export interface ReadDump {
  /** For messages. */
  readonly name: string;
  /** Files that its attachments name; undefined: their table is not in it. */
  readonly files: AttachedFiles | undefined;
}

/** Reads a dump in custom format. @throws ContentError when it is not a whole one */
export async function readDump(
  look: Look,
  name: string,
  content: AsyncIterable<Buffer>,
  there = NOTHING_THERE,
): Promise<ReadDump> {
  const rows = new DumpedRows(name, there);
  const unknown = await readCustomDump(rows, content);
  return unknown ? await convertCustomDump(look, { name, there }, unknown) : rows;
}

/** @throws ContentError when a dump that the format asks for is not there */
export async function dumpsOf(
  look: Look,
  receipt: Receipt,
  members: Members,
  contents: MemberContents,
): Promise<Dumps> {
  const there = filesThere(members);
  if (receipt.format === 'directory') return directoryDump(look, members, there, contents);
  const read: ReadDump[] = [];
  const of = new Map<string, DumpCheck>();
  for (const name of expectedDumps(receipt.format, members)) {
    of.set(name, async (content) => {
      const isSql = name.endsWith('.sql');
      read.push(isSql ? await readSql(name, content, there) : await readDump(look, name, content, there));
    });
  }
  return { of, finish: async () => read, async [Symbol.asyncDispose]() {} };
}

/** Reads a dump as SQL. @throws ContentError when it is not a whole one */
export async function readSql(
  name: string,
  content: AsyncIterable<Buffer>,
  there = NOTHING_THERE,
): Promise<ReadDump> {
  const sql = new SqlText(name, there);
  await sql.readAll(content);
  sql.finish();
  return sql;
}

/** The files of an archive's filestore, as attachments name them. */
const filesThere = (members: Members): FilesThere => ({
  numbers: members.numbers,
  numberOf: (name) => members.numberOf(`filestore/${name}`),
});

/** The names of the entries with the dumps. */
function expectedDumps(format: Format, members: Members): string[] {
  const top = [...members.others.keys()].filter((name) => !name.includes('/'));
  const find = (end: string): string => {
    const name = top.find((each) => each.endsWith(end));
    if (name === undefined) throw missing(end === '.dump' ? 'the dump for pg_restore' : '"dump.sql"');
    return name;
  };
  if (format === 'dual') return [find('.dump'), find('.sql')];
  return [find(format === 'custom' ? '.dump' : '.sql')];
}

const missing = (what: string) =>
  new ContentError(
    `The archive lacks ${what}.`,
    'It was changed after it was written. Choose another backup.',
  );

async function directoryDump(
  look: Look,
  members: Members,
  there: FilesThere,
  contents: MemberContents,
): Promise<Dumps> {
  const files = [...members.others].filter(([name]) => name.startsWith('dump/'));
  if (!members.has('dump/toc.dat')) throw missing('"dump/toc.dat"');
  const dump = await DirectoryDump.open(contents, members, there);
  if (!dump) return unknownDirectory(look, files, there);
  return {
    of: new Map(files.map(([name]) => [name, (content) => dump.read(name, content)])),
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
  there: FilesThere,
): Promise<Dumps> {
  await assertSpace(files.reduce((sum, [, { size }]) => sum + size, 0));
  const folder = await mkdtemp(join(temporary(), 'odoo-backup-'));
  const of = new Map<string, DumpCheck>();
  for (const [name] of files) {
    const path = join(folder, directoryFile(name));
    of.set(name, (content) => pipeline(content, createWriteStream(path)));
  }
  return {
    of,
    finish: async () => [await convertDirectoryDump(look, folder, there)],
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
