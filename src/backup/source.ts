import { Readable } from 'node:stream';
import type { Format } from '../catalog/receipt.ts';
import type { RunningCode } from '../odoo/code/code.ts';
import type { OdooDatabase } from '../odoo/database.ts';
import type { Odoo } from '../odoo/installation.ts';
import type { NumberGiven } from '../odoo/numbering.ts';
import { counting, type Progress } from '../platform/progress.ts';
import type { Snapshot } from '../postgres/snapshot.ts';
import { sealedSize } from '../sealing/chunks.ts';
import type { Recipients } from '../sealing/recipients.ts';
import type { Base } from './base-archive.ts';
import type { HostFiles } from './host-files.ts';

/** Everything that a backup reads from, of one instant. */
export interface Source {
  readonly odoo: Odoo;
  readonly snapshot: Snapshot;
  readonly facts: OdooDatabase;
  /** undefined: it is not known. */
  readonly code: RunningCode | undefined;
  /** How far Odoo's sequences have come; undefined: they were not read. */
  readonly numbers: readonly NumberGiven[] | undefined;
  /** Why its dump may not load, in words. */
  readonly obstacles: readonly string[];
  /** How many files attachments name. */
  readonly attached: number;
  /** What is read of the filestore; undefined: this backup is without it. */
  readonly files: HostFiles | undefined;
  /** Named by an attachment, and not on disk. */
  readonly missing: readonly string[];
  /** On disk, and not read: links, and what no archive can hold. */
  readonly skipped: readonly string[];
}

/** Warns of files that a backup lacks. @throws UserError when it may not be made without them */
export type Tolerate = (problem: string, names: readonly string[]) => void;

/** How it is to be written. */
export interface ArchiveOptions {
  readonly format: Format;
  readonly compression: 'auto' | number;
  /** Number of jobs of a parallel dump. */
  readonly jobs: number;
  readonly startedAt: Date;
  /** `{database}_{timestamp}`: names the archive's own dump. */
  readonly baseName: string;
  readonly tolerate: Tolerate;
  /** Whom it is sealed for; undefined: nobody. */
  readonly recipients?: Recipients | undefined;
  /** What is not sent; undefined: everything is. */
  readonly base?: Base | undefined;
  /** No base, because the server cannot copy. */
  readonly cannotCopy?: true | undefined;
  /** One segment is sent after the other, because a server has just not got over copies, or over several at once. */
  readonly inTurn?: true | undefined;
}

/** The deflate level of archives, and of gzip: the fastest, unless a level is asked for. */
export const deflateLevel = ({ compression }: ArchiveOptions): number =>
  compression === 'auto' ? 1 : compression;

/**
 * How pg_dump compresses where its output is stored as it is: by zstd from PostgreSQL 16 on, if its pg_dump was
 * built with it (Debian's and PostgreSQL's own packages are).
 */
export function pgDumpCompression(compression: ArchiveOptions['compression'], clientMajor: number): string {
  if (compression !== 'auto') return `--compress=${compression}`;
  return clientMajor >= 16 ? '--compress=zstd:1' : '--compress=1';
}

/** Bytes of an entry besides its content: in front of it and behind it, and in the archive's directory. */
const [HEADER_BYTES, DIRECTORY_BYTES] = [120, 140];

/**
 * The most bytes that may have to be sent of each part of a backup, approximately: it decides the size of the parts of
 * the upload, and of the archive's units.
 */
export function mostBytes({ facts, files, missing }: Source, target: ArchiveOptions) {
  const { base, recipients } = target;
  const { bytes, length } = files?.list ?? { bytes: 0, length: 0 };
  const header = HEADER_BYTES + (recipients ? sealedSize(0, recipients.headerLength) : 0);
  return {
    /** Each of the dumps: text is longer than tables are, and is deflated. */
    dump: 2 * facts.tableBytes + 1024 ** 2,
    /** What a dump hardly ever exceeds: deflated, those of the benchmarks are a third of their tables, or less. */
    likelyDump: deflateLevel(target) > 0 ? facts.tableBytes / 2 + 1024 ** 2 : undefined,
    /** With some files of which a half was read, and then all. */
    filestore: Math.ceil(1.02 * bytes) + header * length + 64 * 1024 ** 2,
    /** With the names of files that are missing. */
    description: 64 * missing.length + 1024 ** 2,
    directory: DIRECTORY_BYTES * (length + (base?.reuse.entries ?? 0)) + 1024 ** 2,
  };
}

/** The same bytes, told to the progress line as they pass. */
export function counted(source: AsyncIterable<Buffer>, progress: Progress): Readable {
  return Readable.from(
    counting(source, progress, ({ length }) => length),
    { objectMode: false },
  );
}
