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
import { type DumpReading, readCustomDump, readDirectoryDump } from './pg-restore.ts';
import type { Look } from './prove.ts';
import { SqlText } from './sql-text.ts';

/** Reads one entry to its end. @throws ContentError when it is not what it should be */
export type DumpCheck = (content: AsyncIterable<Buffer>) => Promise<void>;

/** What is to be done with the entries that hold the database. */
export interface Dumps extends AsyncDisposable {
  readonly of: ReadonlyMap<DirectoryEntry, DumpCheck>;
  /** Once all entries have passed. @returns what the dumps hold @throws ContentError at one that is not whole */
  finish(): Promise<readonly SqlText[]>;
}

/** @throws ContentError when a dump that the format asks for is not there */
export async function dumpsOf(look: Look, receipt: Receipt, members: Members): Promise<Dumps> {
  if (receipt.format === 'directory') return directoryDump(look, members);
  const texts: SqlText[] = [];
  const of = new Map<DirectoryEntry, DumpCheck>();
  for (const { name, entry } of expectedDumps(receipt.format, members)) {
    const sql = new SqlText(name);
    texts.push(sql);
    of.set(entry, async (content) => {
      if (name.endsWith('.sql')) await sql.readAll(content);
      else await readCustomDump(readingOf(look, sql), name, content);
      sql.finish();
    });
  }
  return { of, finish: async () => texts, async [Symbol.asyncDispose]() {} };
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

/** pg_restore has been looked for wherever the format has a dump that needs it. */
function readingOf({ pgRestore, signal }: Look, sql: SqlText): DumpReading {
  if (!pgRestore) throw new Error('No pg_restore was looked for');
  return { pgRestore, sql, signal };
}

/** pg_restore reads a directory from a disk only: its files are written there while they pass. */
async function directoryDump(look: Look, members: Members): Promise<Dumps> {
  const files = [...members].filter(([name]) => name.startsWith('dump/'));
  if (!members.has('dump/toc.dat')) throw missing('"dump/toc.dat"');
  await assertSpace(files.reduce((sum, [, { size }]) => sum + size, 0));
  const folder = await mkdtemp(join(temporary(), 'odoo-backup-'));
  const of = new Map<DirectoryEntry, DumpCheck>();
  for (const [name, entry] of files) {
    const path = join(folder, directoryFile(name));
    of.set(entry, (content) => pipeline(content, createWriteStream(path)));
  }
  return {
    of,
    async finish() {
      const sql = new SqlText('dump/');
      await readDirectoryDump(readingOf(look, sql), folder);
      sql.finish();
      return [sql];
    },
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
