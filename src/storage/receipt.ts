import type { BackupDescription } from '../archive/manifest.ts';
import type { Directory, Segment, Unit } from '../archive/segment.ts';
import { ContentError, messageOf } from '../errors.ts';
import type { CopyProof } from './assembly.ts';
import {
  amount,
  count,
  instant,
  list,
  md5,
  nullable,
  object,
  oneOf,
  optional,
  record,
  text,
  yes,
} from './decode.ts';
import { decodeDescription } from './description.ts';
import { decodeProof, type Proof, type Tool } from './proofs.ts';
import type { PartProof } from './sender.ts';

/** What the archive is: a zip, but for `custom` and `plain` without a filestore. */
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
  /** Of the archive, in bytes. */
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
    /** What the server took over from another archive; left out: everything was sent. */
    readonly copied?: {
      /** The other archive's key. */
      readonly from: string;
      /** In bytes. */
      readonly bytes: number;
      readonly proof: CopyProof;
      /** When the first of the archives that led here was sent as a whole. ISO 8601, UTC. */
      readonly fullAt: string;
    };
    /** Everything was sent because the server cannot copy. */
    readonly cannotCopy?: true;
  };
  /** In the order in which they were made. proofs.ts says what they come to. */
  readonly proofs: readonly Proof[];
  /** Null where the filestore was left out. `missing` before the backup, `lost` during it, `corrupt` on the host's disk. */
  readonly filestore: {
    readonly files: number;
    readonly bytes: number;
    readonly missing: number;
    readonly lost: number;
    readonly corrupt: number;
    /** Links and the like: on the host's disk, and not in the archive. Absent in older receipts. */
    readonly skipped?: number;
  } | null;
  /** Rows per table. */
  readonly counts: Readonly<Record<string, number>>;
  /** What backup.json says in an archive: of a bare dump only. */
  readonly description?: BackupDescription;
  /** Seconds per phase. */
  readonly durations: Readonly<Record<string, number>>;
  /** To S3. */
  readonly bytesSent: number;
  readonly run: Run;
}

/** Who made the backup, and for which commit. */
export interface Run {
  readonly platform: 'github' | 'gitlab' | 'terminal';
  readonly actor?: string;
  readonly repository?: string;
  readonly commit?: string;
  readonly ref?: string;
  readonly url?: string;
}

const tool = object<Tool>({ name: text, version: text });

const decodeReceipt = object<Receipt>({
  version: oneOf(1),
  tool,
  bucket: text,
  key: text,
  database: text,
  customer: text,
  format: oneOf('dual', 'odoo', 'custom', 'directory', 'plain'),
  startedAt: instant,
  finishedAt: instant,
  size: count,
  odoo: nullable(object({ version: text, modules: count })),
  postgres: object({ server: text, client: text }),
  segments: list(
    object<Segment>({
      kind: oneOf('database', 'filestore', 'description'),
      offset: count,
      length: count,
      entries: count,
      units: list(object<Unit>({ offset: count, length: count, md5, crc32: count })),
    }),
  ),
  directory: nullable(object<Directory>({ offset: count, length: count, md5, entries: count })),
  upload: object<Receipt['upload']>({
    parts: count,
    partSize: count,
    proof: oneOf('md5', 'content-md5'),
    copied: optional(
      object<NonNullable<Receipt['upload']['copied']>>({
        from: text,
        bytes: count,
        proof: oneOf('etag', 'checksum', 'read-back'),
        fullAt: instant,
      }),
    ),
    cannotCopy: optional(yes),
  }),
  proofs: list(decodeProof),
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
  counts: record(count),
  description: optional(decodeDescription),
  durations: record(amount),
  bytesSent: count,
  run: object<Run>({
    platform: oneOf('github', 'gitlab', 'terminal'),
    actor: optional(text),
    repository: optional(text),
    commit: optional(text),
    ref: optional(text),
    url: optional(text),
  }),
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
