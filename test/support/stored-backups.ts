import { PutObjectCommand, type PutObjectCommandInput, type S3Client } from '@aws-sdk/client-s3';
import { type Proof, storedProof } from '../../src/catalog/proofs.ts';
import type { Receipt } from '../../src/catalog/receipt.ts';
import { inParallel } from '../../src/util/in-parallel.ts';
import { partSize, tool } from './test-bucket.ts';

export const uploadProof: Proof = { level: 'upload', at: '2026-01-01T00:00:01.000Z', tool };

/** A backup as it lies in a bucket, of so many bytes. */
export interface StoredBackup {
  /** `2026-11-21_02-00-00` */
  readonly time: string;
  readonly database?: string;
  readonly customer?: string;
  readonly size?: number;
  /** Default: `upload` has passed. Null: there is no receipt. */
  readonly proofs?: readonly Proof[] | null;
  /** There is a receipt, and nothing else. */
  readonly withoutArchive?: boolean;
  readonly receipt?: Partial<Receipt>;
  /** Metadata of the archive. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Fields of the requests that store both objects, such as a lock. */
  readonly put?: Partial<PutObjectCommandInput>;
}

export function keyOf({ time, database = 'prod', customer = 'acme' }: StoredBackup): string {
  return `${customer}/backups/${database}_${time}.zip`;
}

/** The keys of receipt and archive, in this order. */
export const objectsOf = (key: string): string[] => [key.replace('.zip', '.json'), key];

export function sampleReceipt(bucket: string, key: string, database: string, size = 0): Receipt {
  return {
    version: 1,
    tool,
    bucket,
    key,
    database,
    customer: 'acme',
    format: 'odoo',
    startedAt: '2026-01-01T00:00:00.000Z',
    finishedAt: '2026-01-01T00:00:01.000Z',
    size,
    odoo: null,
    postgres: { server: '15.18', client: '15.18' },
    segments: [],
    directory: null,
    upload: { parts: 1, partSize, proof: 'md5' },
    proofs: [uploadProof],
    filestore: null,
    counts: {},
    durations: {},
    bytesSent: 0,
    run: { platform: 'terminal' },
  };
}

/** Puts archive and receipt into the bucket, and returns the archive's key. */
export async function putBackup(client: S3Client, bucket: string, backup: StoredBackup): Promise<string> {
  const { database = 'prod', size = 100, proofs = [uploadProof], metadata } = backup;
  const key = keyOf(backup);
  const put = (input: Pick<PutObjectCommandInput, 'Key' | 'Body' | 'Metadata'>) =>
    client.send(new PutObjectCommand({ Bucket: bucket, ...input, ...backup.put }));
  if (!backup.withoutArchive) await put({ Key: key, Body: Buffer.alloc(size), Metadata: metadata });
  if (proofs) {
    const startedAt = `${backup.time.slice(0, 10)}T${backup.time.slice(11, 19).replaceAll('-', ':')}.000Z`;
    const fields = { startedAt, proofs: proofs.map(storedProof), ...backup.receipt };
    const receipt = { ...sampleReceipt(bucket, key, database, size), ...fields };
    await put({ Key: key.replace('.zip', '.json'), Body: JSON.stringify(receipt) });
  }
  return key;
}

export async function putBackups(
  client: S3Client,
  bucket: string,
  backups: readonly StoredBackup[],
): Promise<string[]> {
  return inParallel(backups, 50, (backup) => putBackup(client, bucket, backup));
}

/** One a night at two, so many, up to the given day; the newest first. */
export function nights(count: number, last: string): string[] {
  const end = Date.parse(`${last}T02:00:00Z`);
  return Array.from({ length: count }, (_, night) =>
    new Date(end - night * 86_400_000).toISOString().slice(0, 19).replace('T', '_').replaceAll(':', '-'),
  );
}
