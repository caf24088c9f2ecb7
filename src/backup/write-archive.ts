import type { Readable } from 'node:stream';
import { tried } from '../archive/compressible.ts';
import type { SegmentWriter } from '../archive/segment-writer.ts';
import type { ArchiveSummary, ArchiveWriter } from '../archive/writer.ts';
import type { BackupDescription } from '../catalog/description.ts';
import { dumpCodec } from '../host/codecs.ts';
import { type FilestoreReport, type FilestoreSink, readFilestore } from '../odoo/filestore.ts';
import { odooManifest } from '../odoo/manifest.ts';
import type { Progress } from '../platform/progress.ts';
import type { Transfers } from '../platform/transfers.ts';
import { directoryDump, streamDump } from '../postgres/dump.ts';
import { allEnded } from '../util/begun.ts';
import { formatBytes, formatCounted } from '../util/format.ts';
import { describe } from './description.ts';
import { writeDual } from './dual-dump.ts';
import { MemberWriter } from './member-writer.ts';
import { type ArchiveSegments, type DumpEntry, dumpsOf } from './segments.ts';
import { type ArchiveOptions, counted, deflateLevel, pgDumpCompression, type Source } from './source.ts';

/** What writing an archive found out. */
export interface Written {
  readonly summary: ArchiveSummary;
  readonly description: BackupDescription;
  /** SHA-256 of all members but the filestore's, by their names in the zip. */
  readonly sums: Readonly<Record<string, string>>;
}

/** An archive that is to be written. */
export interface ArchiveJob {
  readonly writer: ArchiveWriter;
  readonly segments: ArchiveSegments;
  readonly source: Source;
  readonly target: ArchiveOptions;
  readonly transfers: Transfers;
  /** Whether a segment is sent only when the one before it has ended: then no two of them can grow from one stream. */
  readonly inTurn: boolean;
  /** Prints a line of the log. */
  readonly info: (line: string) => void;
}

/** An archive that is being written. */
interface Writing extends ArchiveJob {
  readonly members: MemberWriter;
}

/**
 * Writes an archive's members: the dumps and Odoo's manifest, and at the same time the filestore; then backup.json,
 * which tells what became of the filestore.
 *
 * @throws whatever broke first: the host, a dump, or the reader of the archive
 */
export async function writeArchive(job: ArchiveJob): Promise<Written> {
  const { recipients } = job.target;
  const members = new MemberWriter({ level: Math.max(1, deflateLevel(job.target)), recipients });
  const writing = { ...job, members };
  const { writer, segments, source, target } = writing;
  const ending = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error) => {
      throw writer.fail(error); // which ends the others
    });
  const [, filestore] = await allEnded(ending(writeDatabase(writing)), ending(writeFilestore(writing)));
  const description = describe(source, target, filestore, members.sizes);
  const text = `${JSON.stringify(description, undefined, 2)}\n`;
  const modified = target.startedAt;
  await members.add(segments.description, 'backup.json', Buffer.from(text), { deflate: true, modified });
  return { summary: await writer.finish(), description, sums: members.sums };
}

async function writeDatabase(writing: Writing): Promise<void> {
  const { members, segments, source, target, info } = writing;
  const { snapshot, facts } = source;
  const dumps = dumpsOf(target);
  for (const { what } of dumps) info(what);
  const [custom, plain] = dumps;
  if (!custom) await writeDirectoryDump(writing);
  else if (plain) await writeBothDumps(writing, custom, plain);
  else await writeDump(writing, custom, segments.dumps[0] as SegmentWriter);
  const manifest = odooManifest(snapshot.database, facts, snapshot.postgres.version);
  const last = segments.dumps.at(-1) as SegmentWriter;
  const modified = target.startedAt;
  await members.addPlain(last, 'manifest.json', Buffer.from(manifest), { deflate: true, modified });
  await Promise.all(segments.dumps.map((segment) => segment.end()));
  // From here on nobody needs the snapshot, and an old one keeps PostgreSQL from cleaning up. Who has opened it waits for
  // its end.
  snapshot[Symbol.asyncDispose]().catch(() => {});
}

function writeDump(writing: Writing, dump: DumpEntry, segment: SegmentWriter): Promise<unknown> {
  const { members, target } = writing;
  const how = { deflate: deflateLevel(target) > 0, modified: target.startedAt };
  return readDump(writing, dump, (stream) => members.add(segment, dump.name, stream, how));
}

/** Reads the database once for both, unless they are sent in turn, or pg_dump is newer than what is known here. */
function writeBothDumps(writing: Writing, custom: DumpEntry, plain: DumpEntry): Promise<unknown> {
  const { writer, members, segments, target, inTurn, info } = writing;
  const [dump, sql] = segments.dumps as [SegmentWriter, SegmentWriter];
  if (inTurn) {
    info('The database is read twice: this S3 server requires the dumps one after the other');
    const first = writeDump(writing, custom, dump).then(() => dump.end()); // only then the second is read
    return allEnded(first, writeDump(writing, plain, sql));
  }
  const names = { dumpName: custom.name, sqlName: plain.name };
  const entries = { ...names, dump, sql, members, target, signal: writer.failed };
  const writeSql = async (why: string) => {
    info(`The database is read twice: the dump ${why}, which this program cannot convert to SQL yet`);
    await writeDump(writing, plain, sql);
  };
  return readDump(writing, custom, async (stream) => {
    const sqlBytes = await writeDual(stream, { ...entries, writeSql });
    if (sqlBytes !== undefined) info(`dump.sql: ${formatBytes(sqlBytes)} of SQL, made of the same dump`);
  });
}

async function readDump<T>(
  { writer, source, transfers }: Writing,
  { title, options }: DumpEntry,
  write: (stream: Readable) => Promise<T>,
): Promise<T> {
  const { odoo, snapshot, facts } = source;
  try {
    const stream = await streamDump(snapshot, options, dumpCodec(odoo.tools));
    try {
      return await transfers.move(title, facts.tableBytes, (progress) => write(counted(stream, progress)));
    } finally {
      stream.destroy();
    }
  } catch (error) {
    throw writer.fail(error); // which ends the other dump
  }
}

async function writeDirectoryDump({
  writer,
  members,
  segments,
  source,
  target,
  transfers,
  info,
}: Writing): Promise<void> {
  const { snapshot, facts } = source;
  const { jobs } = target;
  info(`Dump, by ${formatCounted(jobs, 'job')} at once, into a folder on the host`);
  const options = [pgDumpCompression(target.compression, snapshot.postgres.client.major)];
  // The tables' size is a bound that real dumps stay well below: they are compressed.
  const files = { jobs, options, neededBytes: facts.tableBytes, signal: writer.failed };
  const [segment] = segments.dumps;
  await transfers.move('dump', undefined, async (progress) => {
    for await (const { name, content, modified } of directoryDump(snapshot, files)) {
      if (segment) await members.add(segment, name, counted(content, progress), { deflate: false, modified });
    }
  });
}

async function writeFilestore({
  writer,
  members,
  segments,
  source,
  target,
  transfers,
  info,
}: Writing): Promise<FilestoreReport | null> {
  const { odoo, files, missing, skipped } = source;
  const segment = segments.filestore;
  if (files === undefined || segment === undefined) return null;
  const { filestore } = odoo;
  const { list, referenced } = files;
  const copied = { files: target.base?.reuse.entries ?? 0, bytes: target.base?.bytes ?? 0 };
  if (filestore === undefined) {
    await segment.end();
    return { files: 0, bytes: 0, missing, lost: [], corrupt: [], skipped };
  }
  const compress = deflateLevel(target) > 0 && !target.recipients;
  const more = target.base ? ' that the previous backup lacks' : '';
  info(`Filestore: ${formatCounted(list.length, 'file')}${more}, ${formatBytes(list.bytes)}`);
  const read = await transfers.move('filestore', list.bytes, (progress) => {
    const sink = filestoreSink(segment, { members, compress, progress, signal: writer.failed });
    return readFilestore(filestore, list, referenced, sink);
  });
  await segment.end();
  if (read.lost.length > 0)
    target.tolerate(
      `${formatCounted(read.lost.length, 'file')} disappeared while they were being read`,
      read.lost,
    );
  if (read.corrupt.length > 0) {
    const files = formatCounted(read.corrupt.length, 'file');
    target.tolerate(`${files} are not what their SHA-1 names say`, read.corrupt);
  }
  return { missing, skipped, ...read, files: copied.files + read.files, bytes: copied.bytes + read.bytes };
}

function filestoreSink(
  segment: SegmentWriter,
  {
    members,
    compress,
    progress,
    signal,
  }: {
    readonly members: MemberWriter;
    readonly compress: boolean;
    readonly progress: Progress;
    readonly signal: AbortSignal;
  },
): FilestoreSink {
  return {
    async add(name, content, modified) {
      const { deflate, source } = compress ? await tried(content) : { deflate: false, source: content };
      await members.addFile(segment, `filestore/${name}`, source, { deflate, modified });
    },
    drop: (name) => members.dropFile(segment, `filestore/${name}`),
    progress: (count) => progress.add(count),
    signal,
  };
}
