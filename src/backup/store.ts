import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { UnitMeter, unitSizeOf } from '../archive/units.ts';
import { ArchiveWriter } from '../archive/writer.ts';
import { receiptKey, writeReceipt } from '../catalog/keys.ts';
import type { Receipt } from '../catalog/receipt.ts';
import { signReceipt } from '../catalog/signatures.ts';
import type { Platform } from '../platform/platform.ts';
import type { Run } from '../platform/run.ts';
import { wantsEqualParts } from '../s3/equal-parts.ts';
import type { CopyProof } from '../s3/server-copy.ts';
import type { Store } from '../s3/store.ts';
import { oneAfterAnother, upload } from '../s3/upload.ts';
import type { Signer } from '../signing/signer.ts';
import { messageOf, type UserError } from '../util/errors.ts';
import { formatBytes, formatCounted } from '../util/format.ts';
import { tool } from '../util/version.ts';
import { isBare, streamBareDump } from './bare.ts';
import { hasManyFiles } from './host-files.ts';
import { metadataOf, receiptOf, type Stored } from './receipt.ts';
import { lanesOf, segmentsOf } from './segments.ts';
import { type ArchiveOptions, counted, deflateLevel, mostBytes, type Source } from './source.ts';
import { verifyUpload } from './verify-upload.ts';
import { writeArchive } from './write-archive.ts';

/** A run that stores an object, and where that goes. */
export interface Destination extends Run {
  readonly store: Store;
  readonly key: string;
  readonly customer: string;
  /** With which key the receipt is signed; undefined: it is not. */
  readonly signer: Signer | undefined;
  /** How many backups are under way, which share the memory of this machine. */
  readonly sharing: number;
}

/** Streams the object from the host into S3. The first failure is told; nothing is left of it on either side. */
export async function storeObject(
  source: Source,
  target: ArchiveOptions,
  destination: Destination,
): Promise<Stored> {
  const { store, key, platform, phases, signal, sharing } = destination;
  const options = {
    front: target.base,
    sharing: hasManyFiles(source.files?.list) ? 2 * sharing : sharing, // their list takes what parts would
    metadata: metadataOf(source, target, platform.run),
    signal,
    onLeftBehind: (error: UserError) => platform.warning(`${error.message} ${error.hint}`),
  };
  const most = mostBytes(source, target);
  if (isBare(target.format, source.files !== undefined)) {
    const isGzip = target.format === 'plain' && !target.recipients;
    const contentType = isGzip ? 'application/gzip' : 'application/octet-stream';
    const title = `Dump: ${key}`;
    const units = new UnitMeter(0);
    const sha256 = createHash('sha256');
    const uploaded = await phases.transfer('dump', title, undefined, async (progress) => {
      const dump = metered(counted(await streamBareDump(source, target), progress), [units, sha256]);
      return upload(store, key, [{ body: dump, mostBytes: most.dump }], { ...options, contentType });
    });
    const whole = { kind: 'database', offset: 0, length: uploaded.size, entries: 0 } as const;
    const sums = { [key.slice(key.lastIndexOf('/') + 1)]: sha256.digest('hex') };
    return { uploaded, archive: undefined, segments: [{ ...whole, units: units.finish() }], sums };
  }
  const reuse = target.base?.reuse;
  const unitSize = unitSizeOf(2 * most.dump + most.filestore + (reuse?.length ?? 0));
  await using writer = new ArchiveWriter({ level: Math.max(1, deflateLevel(target)), unitSize, reuse });
  const segments = segmentsOf(writer, source, target);
  const lanes = lanesOf(writer, segments, source, target);
  return await phases.transfers('transfer', `Transfer to ${store.uri(key)}`, async (transfers) => {
    const inTurn = target.inTurn || target.cannotCopy || wantsEqualParts(store.options.endpoint);
    const uploading = upload(store, key, inTurn ? [oneAfterAnother(lanes)] : lanes, {
      ...options,
      contentType: 'application/zip',
    });
    const info = (line: string) => platform.info(line);
    const writing = writeArchive({ writer, segments, source, target, transfers, inTurn, info });
    // A failure of either ends the other, and the upload always reports the first reason.
    writing.catch((error) => writer.fail(error));
    const [uploaded, archive] = await Promise.allSettled([uploading, writing]);
    if (uploaded.status === 'rejected') throw uploaded.reason;
    if (archive.status === 'rejected') throw archive.reason;
    const { summary, sums } = archive.value;
    return { uploaded: uploaded.value, archive: archive.value, segments: summary.segments, sums };
  });
}

/** The same bytes, measured as they pass. */
function metered(
  source: AsyncIterable<Buffer>,
  meters: readonly { update(bytes: Buffer): unknown }[],
): Readable {
  const bytes = async function* () {
    for await (const chunk of source) {
      for (const meter of meters) meter.update(chunk);
      yield chunk;
    }
  };
  return Readable.from(bytes(), { objectMode: false });
}

/** Verifies the object and writes its receipt, which makes it a backup. If anything fails before, it is removed. */
export async function certify(
  source: Source,
  target: ArchiveOptions,
  stored: Stored,
  { store, key, customer, signer, platform, phases, signal }: Destination,
): Promise<Receipt> {
  try {
    const archive = stored.archive?.summary ?? null;
    const proof = await phases.run('verify', `Verify ${store.uri(key)}`, async () => {
      const found = await verifyUpload(store, stored.uploaded, archive, tool);
      platform.info(provenBy(stored));
      return found;
    });
    signal.throwIfAborted();
    const { bucket } = store.options;
    const { seconds: durations } = phases;
    const end = { bucket, customer, proofs: [proof], durations, run: platform.run };
    const receipt = await signed(await receiptOf(source, target, stored, end), signer, platform);
    await writeReceipt(store, receipt);
    return receipt;
  } catch (error) {
    await removeObject(store, key, platform);
    throw error;
  }
}

/** A backup that cannot be signed is one all the same: making it again would take as long. */
async function signed(receipt: Receipt, signer: Signer | undefined, platform: Platform): Promise<Receipt> {
  if (!signer) return receipt;
  try {
    return await signReceipt(receipt, signer);
  } catch (error) {
    platform.warning(`The backup is not signed: ${messageOf(error)}`);
    return receipt;
  }
}

function provenBy({ uploaded, archive }: Stored): string {
  const { size, parts, proof, copied } = uploaded;
  const copies = copied
    ? `, ${formatBytes(copied.bytes)} of it copied and proven by ${copyProofs[copied.proof]}`
    : '';
  const md5 = proof === 'md5' ? 'the MD5 of each is what the server reports' : 'each was sent with its MD5';
  const directory = archive
    ? `; its directory of ${formatCounted(archive.summary.entries, 'file')} reads back as written`
    : '';
  return `${formatBytes(size)} in ${formatCounted(parts, 'part')}: ${md5}${copies}${directory}`;
}

const copyProofs: Record<CopyProof, string> = {
  etag: 'the MD5 that the server reports',
  checksum: 'the CRC-32 that the server computed',
  'read-back': 'reading it back',
};

/** The receipt first: if it was written nevertheless, it must not outlive the archive. */
async function removeObject(store: Store, key: string, platform: Platform): Promise<void> {
  for (const each of [receiptKey(key), key]) {
    try {
      await store.delete(each);
    } catch (error) {
      platform.warning(
        `${store.uri(each)} was left behind, and does not count as a backup: ${messageOf(error)}`,
      );
    }
  }
}
