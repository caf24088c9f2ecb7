import type { Directory, Segment, Unit } from '../archive/segment.ts';
import type { BackupDescription } from '../odoo/manifest.ts';
import type { PartProof } from '../s3/part-uploader.ts';
import type { CopyProof } from '../s3/server-copy.ts';
import {
  amount,
  count,
  countUpTo,
  instant,
  list,
  md5,
  nullable,
  object,
  oneOf,
  optional,
  record,
  sentence,
  yes,
} from '../util/decode.ts';
import { ContentError, messageOf } from '../util/errors.ts';
import { decodeDescription, storages } from './description.ts';
import { decodeProof, decodeTool, type Proof, type Tool } from './proofs.ts';
import {
  archiveKey,
  bucketName,
  ciName,
  commit,
  customer,
  phaseName,
  programVersion,
  sqlName,
  tableName,
  version,
  webUrl,
} from './shapes.ts';

/** Format of the archive: a zip, except for `custom` and `plain` without a filestore. */
export type Format = 'dual' | 'odoo' | 'custom' | 'directory' | 'plain';

/** The JSON object beside an archive. It is written last, and says that the archive is there and verified. */
export interface Receipt {
  readonly version: 1;
  readonly tool: Tool;
  readonly bucket: string;
  readonly key: string;
  readonly database: string;
  readonly customer: string;
  readonly format: Format;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly finishedAt: string;
  /** Size of the archive in bytes. */
  readonly size: number;
  /** Null for a database that is not Odoo's. */
  readonly odoo: { readonly version: string; readonly modules: number } | null;
  readonly postgres: { readonly server: string; readonly client: string };
  readonly segments: readonly Segment[];
  /** Null for a bare dump. */
  readonly directory: Directory | null;
  readonly upload: {
    readonly parts: number;
    readonly partSize: number;
    readonly proof: PartProof;
    /** What the server copied from another archive. Absent: everything was sent. */
    readonly copied?: {
      /** The other archive's key. */
      readonly from: string;
      /** In bytes. */
      readonly bytes: number;
      readonly proof: CopyProof;
      /** When the first archive of this chain of copies was sent as a whole. ISO 8601, UTC. */
      readonly fullAt: string;
    };
    /** Everything was sent because the server cannot copy. */
    readonly cannotCopy?: true;
  };
  /** The proofs, in the order in which they were made. proofs.ts says what they mean together. */
  readonly proofs: readonly Proof[];
  /**
   * Null where the filestore was left out. `missing` before the backup, `lost` during it, `corrupt` on the host's disk.
   */
  readonly filestore: {
    readonly files: number;
    readonly bytes: number;
    readonly missing: number;
    readonly lost: number;
    readonly corrupt: number;
    /** Links and the like: on the host's disk, and not in the archive. Absent in older receipts. */
    readonly skipped?: number;
  } | null;
  /** Attachments in other storages than the filestore and the database, by storage: not in the backup. */
  readonly elsewhere?: Readonly<Record<string, number>>;
  /** Why the database may fail to be restored as it is, as far as the database itself shows. */
  readonly obstacles?: readonly string[];
  /** Rows per table. */
  readonly counts: Readonly<Record<string, number>>;
  /** What backup.json says in an archive; present for a bare dump only. */
  readonly description?: BackupDescription;
  /** Seconds per phase. */
  readonly durations: Readonly<Record<string, number>>;
  /** Bytes sent to S3. */
  readonly bytesSent: number;
  readonly run: RecordedRun;
}

/** Who made the backup, and for which commit. */
export interface RecordedRun {
  readonly platform: 'github' | 'gitlab' | 'terminal';
  readonly actor?: string;
  readonly repository?: string;
  readonly commit?: string;
  readonly ref?: string;
  readonly url?: string;
}

/** S3 allows 10,000 parts an object: a range that a later backup can copy is a part, or several. */
const MOST_UNITS = 20_000;
const CRC32 = countUpTo(0xffffffff);

const decodeSegment = object<Segment>({
  kind: oneOf('database', 'filestore', 'description'),
  offset: count,
  length: count,
  entries: count,
  units: list(object<Unit>({ offset: count, length: count, md5, crc32: CRC32 }), MOST_UNITS),
});

const runFields = {
  platform: oneOf('github', 'gitlab', 'terminal'),
  actor: optional(ciName),
  repository: optional(ciName),
  commit: optional(commit),
  ref: optional(ciName),
  url: optional(webUrl),
} as const;

/**
 * What a receipt can hold of a run: a CI may give values that no reader would accept, such as a branch with control
 * characters.
 */
export function recordedRun(run: RecordedRun): RecordedRun {
  const fits = ([name, value]: [string, unknown]): boolean => {
    try {
      runFields[name as keyof RecordedRun](value, name);
      return true;
    } catch {
      return false;
    }
  };
  return { ...Object.fromEntries(Object.entries(run).filter(fits)), platform: run.platform };
}

const decodeReceipt = object<Receipt>({
  version: oneOf(1),
  tool: decodeTool,
  bucket: bucketName,
  key: archiveKey,
  database: sqlName,
  customer,
  format: oneOf('dual', 'odoo', 'custom', 'directory', 'plain'),
  startedAt: instant,
  finishedAt: instant,
  size: count,
  odoo: nullable(object({ version, modules: count })),
  postgres: object({ server: programVersion, client: programVersion }),
  segments: list(decodeSegment, MOST_UNITS),
  directory: nullable(object<Directory>({ offset: count, length: count, md5, entries: count })),
  upload: object<Receipt['upload']>({
    parts: count,
    partSize: count,
    proof: oneOf('md5', 'content-md5'),
    copied: optional(
      object<NonNullable<Receipt['upload']['copied']>>({
        from: archiveKey,
        bytes: count,
        proof: oneOf('etag', 'checksum', 'read-back'),
        fullAt: instant,
      }),
    ),
    cannotCopy: optional(yes),
  }),
  proofs: list(decodeProof, 20_000),
  filestore: nullable(
    object({
      files: count,
      bytes: count,
      missing: count,
      lost: count,
      corrupt: count,
      skipped: optional(count),
    }),
  ),
  elsewhere: optional(storages),
  obstacles: optional(list(sentence, 100)),
  counts: record(tableName, count, 100_000),
  description: optional(decodeDescription),
  durations: record(phaseName, amount, 1000),
  bytesSent: count,
  run: object<RecordedRun>(runFields),
});

/**
 * @param where for the message: the receipt's URI
 * @throws ContentError that names the first field that is not as it must be
 */
export function parseReceipt(value: unknown, where: string): Receipt {
  try {
    return decodeReceipt(value, 'receipt');
  } catch (cause) {
    throw new ContentError(
      `${where} is not a receipt of this tool: ${messageOf(cause)}`,
      'A newer version may have written it, or something else. Its archive is not to be trusted without it.',
      { cause },
    );
  }
}
