import { gzipSync } from 'node:zlib';
import type { Segment } from '../archive/segment.ts';
import type { Proof } from '../catalog/proofs.ts';
import { MOST_CORRUPT, type Receipt, recordedRun } from '../catalog/receipt.ts';
import type { RunIdentity } from '../platform/platform.ts';
import type { Uploaded } from '../s3/upload.ts';
import type { Recipients } from '../sealing/recipients.ts';
import { sealWhole } from '../sealing/stream.ts';
import { tool } from '../util/version.ts';
import { describe } from './description.ts';
import type { ArchiveOptions, Source } from './source.ts';
import type { Written } from './write-archive.ts';

/** An object that was stored in the bucket. */
export interface Stored {
  readonly uploaded: Uploaded;
  /** undefined: a bare dump. */
  readonly archive: Written | undefined;
  readonly segments: readonly Segment[];
  /** SHA-256 by the names of members in the zip, or by the name of a bare dump. */
  readonly sums: Readonly<Record<string, string>>;
}

/** What the object itself says of its origin, for people who look at the bucket. */
export function metadataOf(
  { odoo, facts }: Source,
  target: ArchiveOptions,
  run: RunIdentity,
): Record<string, string> {
  const metadata = {
    database: odoo.database,
    'odoo-version': facts.odooVersion,
    format: target.format,
    commit: run.commit,
    run: run.url,
  };
  return Object.fromEntries(
    Object.entries(metadata).flatMap(([name, value]) => (value ? [[name, value]] : [])),
  );
}

/** What is known of a backup once it is stored and verified. */
interface ReceiptEnd {
  readonly bucket: string;
  readonly customer: string;
  readonly proofs: readonly Proof[];
  /** Seconds a phase. */
  readonly durations: Readonly<Record<string, number>>;
  readonly run: RunIdentity;
}

export async function receiptOf(
  source: Source,
  target: ArchiveOptions,
  { uploaded, archive, segments, sums }: Stored,
  { bucket, customer, proofs, durations, run }: ReceiptEnd,
): Promise<Receipt> {
  const { odoo, snapshot, facts, obstacles, code } = source;
  const filestore = archive?.description.filestore ?? null;
  return {
    version: 1,
    tool,
    bucket,
    key: uploaded.key,
    database: odoo.database,
    customer,
    format: target.format,
    startedAt: target.startedAt.toISOString(),
    finishedAt: new Date().toISOString(),
    size: uploaded.size,
    odoo: { version: facts.odooVersion, modules: Object.keys(facts.modules).length },
    ...(code && { code }),
    postgres: { server: snapshot.postgres.version.text, client: String(snapshot.postgres.client.major) },
    segments,
    directory: archive?.summary.directory ?? null,
    upload: uploadOf(uploaded, target),
    sums,
    proofs,
    filestore: filestore && {
      files: filestore.files,
      bytes: filestore.bytes,
      missing: filestore.missing.length,
      lost: filestore.lost.length,
      corrupt: filestore.corrupt.length,
      skipped: filestore.skipped?.length ?? 0,
    },
    elsewhere: facts.attachments.elsewhere,
    ...(obstacles.length > 0 ? { obstacles } : {}),
    counts: facts.counts,
    ...(archive || target.recipients ? {} : { description: describe(source, target, null) }),
    ...(target.recipients && { sealed: await sealedOf(source, target, archive, target.recipients) }),
    durations,
    bytesSent: uploaded.sent,
    run: recordedRun(run),
  };
}

async function sealedOf(
  source: Source,
  target: ArchiveOptions,
  archive: Written | undefined,
  recipients: Recipients,
): Promise<Receipt['sealed']> {
  const { names } = recipients;
  if (archive) {
    const { corrupt = [] } = archive.description.filestore ?? {};
    return { recipients: names, ...(corrupt.length <= MOST_CORRUPT && { corrupt }) };
  }
  const description = gzipSync(JSON.stringify(describe(source, target, null)));
  return { recipients: names, description: (await sealWhole(description, recipients)).toString('base64') };
}

function uploadOf(
  { parts, partSize, proof, copied }: Uploaded,
  { base, cannotCopy }: ArchiveOptions,
): Receipt['upload'] {
  const sent = { parts, partSize, proof };
  if (!copied || !base) return cannotCopy ? { ...sent, cannotCopy } : sent;
  const { from, bytes } = copied;
  return { ...sent, copied: { from, bytes, proof: copied.proof, fullAt: base.fullAt } };
}
