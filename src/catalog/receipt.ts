import { decodeDirectory, decodeSegments } from '../archive/segment.ts';
import { decodeCode } from '../odoo/code/code.ts';
import {
  amount,
  count,
  type Decoded,
  instant,
  list,
  nullable,
  object,
  oneOf,
  optional,
  record,
  sentence,
  sha256,
  yes,
} from '../util/decode.ts';
import { ContentError, messageOf } from '../util/errors.ts';
import { decodeDescription, storages } from './description.ts';
import { decodeProof, decodeTool } from './proofs.ts';
import {
  archiveKey,
  bucketName,
  ciName,
  commit,
  customer,
  fileName,
  memberName,
  phaseName,
  programVersion,
  recipients,
  sealedText,
  signature,
  sqlName,
  tableName,
  version,
  webUrl,
} from './shapes.ts';

const decodeFormat = oneOf('dual', 'odoo', 'custom', 'directory', 'plain');

/** Format of the archive: a zip, except for `custom` and `plain` without a filestore. */
export type Format = Decoded<typeof decodeFormat>;

const runFields = {
  platform: oneOf('github', 'gitlab', 'terminal'),
  actor: optional(ciName),
  repository: optional(ciName),
  commit: optional(commit),
  ref: optional(ciName),
  url: optional(webUrl),
} as const;

const decodeRun = object(runFields);

/** Who made the backup, and for which commit. */
export interface RecordedRun extends Decoded<typeof decodeRun> {}

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

/** What the server copied from another archive. */
const decodeCopied = object({
  /** The other archive's key. */
  from: archiveKey,
  /** In bytes. */
  bytes: count,
  proof: oneOf('etag', 'checksum', 'read-back'),
  /** When the first archive of this chain of copies was sent as a whole. */
  fullAt: instant,
});

const decodeUpload = object({
  parts: count,
  partSize: count,
  proof: oneOf('md5', 'content-md5'),
  /** Absent: everything was sent. */
  copied: optional(decodeCopied),
  /** Everything was sent because the server cannot copy. */
  cannotCopy: optional(yes),
});

/** `missing` before the backup, `lost` during it, `corrupt` on the host's disk. */
const decodeFileCounts = object({
  files: count,
  bytes: count,
  missing: count,
  lost: count,
  corrupt: count,
  /** Links and the like: on the host's disk, and not in the archive. Absent in older receipts. */
  skipped: optional(count),
});

/** Names of corrupt files that a receipt holds at most. */
export const MOST_CORRUPT = 10_000;

const decodeSealed = object({
  recipients,
  /** The `description` of a bare dump: packed by gzip, and sealed as the dump is. */
  description: optional(sealedText),
  /**
   * Files of the filestore that were not what their names say. A backup that builds upon the archive cannot read its
   * backup.json. Absent: there are none, or too many.
   */
  corrupt: optional(list(fileName, MOST_CORRUPT)),
});

const decodeReceipt = object({
  version: oneOf(1),
  tool: decodeTool,
  bucket: bucketName,
  key: archiveKey,
  database: sqlName,
  customer,
  format: decodeFormat,
  /** ISO 8601, UTC. */
  startedAt: instant,
  finishedAt: instant,
  /** Size of the archive in bytes. */
  size: count,
  /** Null for a database that is not Odoo's. */
  odoo: nullable(object({ version, modules: count })),
  /** The code that Odoo ran. Absent where it is not known, and in older receipts. */
  code: optional(decodeCode),
  postgres: object({ server: programVersion, client: programVersion }),
  segments: decodeSegments,
  /** Null for a bare dump. */
  directory: nullable(decodeDirectory),
  upload: decodeUpload,
  /**
   * SHA-256 of what no name of the filestore says: the dumps, manifest.json and backup.json, as the zip has them, which
   * is sealed where it is; of a bare dump, the object. Absent in older receipts.
   */
  sums: optional(record(memberName, sha256, 100_000)),
  /** The signature of whoever made the backup, over everything but the proofs and itself: see signatures.ts. */
  signature: optional(signature),
  /** The proofs, in the order in which they were made. proofs.ts says what they mean together. */
  proofs: list(decodeProof, 20_000),
  /** Null where the filestore was left out. */
  filestore: nullable(decodeFileCounts),
  /** Attachments in other storages than the filestore and the database, by storage: not in the backup. */
  elsewhere: optional(storages),
  /** Why the database may fail to be restored as it is, as far as the database itself shows. */
  obstacles: optional(list(sentence, 100)),
  /** Rows per table. */
  counts: record(tableName, count, 100_000),
  /** What backup.json says in an archive; present for a bare dump only. */
  description: optional(decodeDescription),
  /** Whom the backup is sealed for. Absent: nobody. */
  sealed: optional(decodeSealed),
  /** Seconds per phase. */
  durations: record(phaseName, amount, 1000),
  /** Bytes sent to S3. */
  bytesSent: count,
  run: decodeRun,
});

/** The JSON object beside an archive. It is written last, and says that the archive is there and verified. */
export interface Receipt extends Decoded<typeof decodeReceipt> {}

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
      'A newer version may have written it, or something else. Its archive is not trusted without it.',
      { cause },
    );
  }
}
