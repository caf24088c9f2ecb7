import type { SegmentWriter } from '../archive/segment-writer.ts';
import type { ArchiveWriter } from '../archive/writer.ts';
import type { Lane } from '../s3/upload.ts';
import { type ArchiveOptions, mostBytes, type Source } from './source.ts';

/** One dump of an archive. */
export interface DumpEntry {
  /** Short, for the log. */
  readonly title: 'dump' | 'sql';
  readonly what: string;
  readonly name: string;
  /** Options of pg_dump. */
  readonly options: readonly string[];
}

/** The segments of an archive, in their order. All grow at the same time. */
export interface ArchiveSegments {
  readonly dumps: readonly SegmentWriter[];
  readonly filestore: SegmentWriter | undefined;
  readonly description: SegmentWriter;
}

/** The dumps of an archive that are one entry each. None where the dump is a folder. */
export function dumpsOf({ format, baseName }: Pick<ArchiveOptions, 'format' | 'baseName'>): DumpEntry[] {
  if (format === 'directory') return [];
  const custom: DumpEntry = {
    title: 'dump',
    what: `Dump for pg_restore: ${baseName}.dump`,
    name: `${baseName}.dump`,
    // Uncompressed inside: pg_dump compresses on one thread, which takes longer than everything else together.
    options: ['--format=custom', '--compress=0'],
  };
  const plain: DumpEntry = {
    title: 'sql',
    what: 'Dump for Odoo: dump.sql',
    name: 'dump.sql',
    options: ['--format=plain', '--no-owner'], // as odoo.service.db.dump_db has it made
  };
  if (format === 'dual') return [custom, plain];
  return format === 'custom' ? [custom] : [plain];
}

export function segmentsOf(writer: ArchiveWriter, source: Source, target: ArchiveOptions): ArchiveSegments {
  const dumps = Array.from({ length: Math.max(1, dumpsOf(target).length) }, () => writer.segment('database'));
  const filestore = source.files && writer.segment('filestore');
  return { dumps, filestore, description: writer.segment('description') };
}

/** What of an archive is sent at the same time: each of its segments, and its end. */
export function lanesOf(
  { directory }: ArchiveWriter,
  { dumps, filestore, description }: ArchiveSegments,
  source: Source,
  target: ArchiveOptions,
): Lane[] {
  const most = mostBytes(source, target);
  return [
    ...dumps.map(({ output }) => ({ body: output, mostBytes: most.dump, likelyBytes: most.likelyDump })),
    ...(filestore ? [{ body: filestore.output, mostBytes: most.filestore }] : []),
    { body: description.output, mostBytes: most.description },
    { body: directory, mostBytes: most.directory },
  ];
}
