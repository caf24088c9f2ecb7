import { Readable } from 'node:stream';
import { SAMPLE_LENGTH, shouldDeflate } from '../archive/compressible.ts';
import type { ArchiveSummary, ArchiveWriter } from '../archive/writer.ts';
import type { BackupDescription } from '../catalog/description.ts';
import { dumpCodec } from '../host/codecs.ts';
import { type FilestoreReport, type FilestoreSink, readFilestore } from '../odoo/filestore.ts';
import { odooManifest } from '../odoo/manifest.ts';
import type { Phases } from '../platform/phases.ts';
import type { Progress } from '../platform/progress.ts';
import { directoryDump, streamDump } from '../postgres/dump.ts';
import { formatBytes, formatCounted } from '../util/format.ts';
import { describe } from './description.ts';
import { type ArchiveOptions, counted, deflateLevel, pgDumpCompression, type Source } from './source.ts';
import { SummedMembers } from './summed-members.ts';

/** What writing an archive found out. */
export interface Written {
  readonly summary: ArchiveSummary;
  readonly description: BackupDescription;
  /** SHA-256 of all members but the filestore's, by their names. */
  readonly sums: Readonly<Record<string, string>>;
}

/**
 * Writes an archive's members, in this order: the dumps and Odoo's manifest, the filestore, and backup.json, which
 * tells what became of the filestore.
 *
 * @throws whatever broke first: the host, the dump, or the reader of the archive
 */
export async function writeArchive(
  writer: ArchiveWriter,
  source: Source,
  target: ArchiveOptions,
  phases: Phases,
): Promise<Written> {
  const { snapshot, facts } = source;
  await writer.begin('database');
  const members = new SummedMembers(writer);
  await writeDumps(members, source, target, phases);
  const manifest = odooManifest(snapshot.database, facts, snapshot.postgres.version);
  await addText(members, 'manifest.json', manifest, target.startedAt);
  // From here on nobody needs the snapshot, and an old one keeps PostgreSQL from cleaning up.
  await snapshot[Symbol.asyncDispose]();

  const filestore = await writeFilestore(writer, source, target, phases);
  await writer.begin('description');
  const description = describe(source, target, filestore);
  await addText(members, 'backup.json', `${JSON.stringify(description, undefined, 2)}\n`, target.startedAt);
  return { summary: await writer.finish(), description, sums: members.sums };
}

function addText(writer: SummedMembers, name: string, text: string, modified: Date): Promise<unknown> {
  return writer.add(name, Buffer.from(text), { deflate: true, modified });
}

/** One pg_dump of an archive. */
interface DumpEntry {
  /** Name of the phase. */
  readonly phase: string;
  readonly title: string;
  readonly name: string;
  readonly options: readonly string[];
}

/** The dumps of an archive; a directory dump is none of them. */
export function dumpsOf({ format, baseName }: Pick<ArchiveOptions, 'format' | 'baseName'>): DumpEntry[] {
  const custom: DumpEntry = {
    phase: 'dump',
    title: `Dump for pg_restore: ${baseName}.dump`,
    name: `${baseName}.dump`,
    // Uncompressed inside: pg_dump compresses on one thread, which takes longer than everything else together.
    options: ['--format=custom', '--compress=0'],
  };
  const plain: DumpEntry = {
    phase: 'sql',
    title: 'Dump for Odoo: dump.sql',
    name: 'dump.sql',
    options: ['--format=plain', '--no-owner'], // as odoo.service.db.dump_db has it made
  };
  if (format === 'dual') return [custom, plain];
  return format === 'custom' ? [custom] : [plain];
}

async function writeDumps(
  writer: SummedMembers,
  source: Source,
  target: ArchiveOptions,
  phases: Phases,
): Promise<void> {
  if (target.format === 'directory') {
    const title = `Dump, by ${formatCounted(target.jobs, 'job')} at once, into a folder on the host`;
    await phases.transfer('dump', title, undefined, (progress) =>
      writeDirectoryDump(writer, source, target, progress),
    );
    return;
  }
  const { odoo, snapshot, facts } = source;
  const start = async (dump: DumpEntry) => ({
    ...dump,
    stream: await streamDump(snapshot, dump.options, dumpCodec(odoo.tools)),
  });
  // All at once: each pg_dump reads the catalog first, which takes seconds, and then waits for its turn to be read.
  const started = await Promise.all(dumpsOf(target).map(start));
  const deflate = deflateLevel(target) > 0;
  try {
    for (const { stream, phase, title, name } of started) {
      await phases.transfer(phase, title, facts.tableBytes, (progress) =>
        writer.add(name, counted(stream, progress), { deflate, modified: target.startedAt }),
      );
    }
  } finally {
    for (const { stream } of started) stream.destroy();
  }
}

async function writeDirectoryDump(
  writer: SummedMembers,
  { snapshot, facts }: Source,
  target: ArchiveOptions,
  progress: Progress,
): Promise<void> {
  const compression = pgDumpCompression(target.compression, snapshot.postgres.client.major);
  // The tables' size is a bound that real dumps stay well below: they are compressed.
  for await (const file of directoryDump(snapshot, target.jobs, [compression], facts.tableBytes)) {
    await writer.add(file.name, counted(file.content, progress), { deflate: false, modified: file.modified });
  }
}

async function writeFilestore(
  writer: ArchiveWriter,
  source: Source,
  target: ArchiveOptions,
  phases: Phases,
): Promise<FilestoreReport | null> {
  const { odoo, files, missing, skipped } = source;
  if (files === undefined) return null;
  await writer.begin('filestore');
  const { filestore } = odoo;
  const { list, referenced } = files;
  const copied = { files: target.base?.reuse.entries ?? 0, bytes: target.base?.reuse.bytes ?? 0 };
  if (filestore === undefined) return { files: 0, bytes: 0, missing, lost: [], corrupt: [], skipped };
  const compress = deflateLevel(target) > 0;
  const more = target.base ? ' that the backup before lacks' : '';
  const title = `Filestore: ${formatCounted(list.length, 'file')}${more}, ${formatBytes(list.bytes)}`;
  return phases.transfer('filestore', title, list.bytes, async (progress) => {
    const sink: FilestoreSink = {
      async add(name, content, modified) {
        const { head, source } = Buffer.isBuffer(content)
          ? { head: content, source: content }
          : await peek(content);
        await writer.add(`filestore/${name}`, source, { deflate: compress && shouldDeflate(head), modified });
      },
      drop: (name) => writer.drop(`filestore/${name}`),
      progress: (count) => progress.add(count),
    };
    const read = await readFilestore(filestore, list, referenced, sink);
    if (read.lost.length > 0)
      target.tolerate(`${formatCounted(read.lost.length, 'file')} vanished while they were read`, read.lost);
    if (read.corrupt.length > 0) {
      target.tolerate(
        `${formatCounted(read.corrupt.length, 'file')} are not what their SHA-1 names say`,
        read.corrupt,
      );
    }
    return { missing, skipped, ...read, files: copied.files + read.files, bytes: copied.bytes + read.bytes };
  });
}

/** The first bytes of a stream, and all of it. */
async function peek(stream: AsyncIterable<Buffer>): Promise<{ head: Buffer; source: Readable }> {
  const chunks = stream[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  while (head.length < SAMPLE_LENGTH) {
    const next = await chunks.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  const rest = { [Symbol.asyncIterator]: () => chunks };
  const all = async function* () {
    yield head;
    yield* rest;
  };
  return { head, source: Readable.from(all(), { objectMode: false }) };
}
