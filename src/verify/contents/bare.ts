import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { readExactly, readRange } from '../../archive/ranges.ts';
import type { UnitCheck } from '../../archive/units.ts';
import { openSealedText } from '../../backup-reader/description.ts';
import { Seal } from '../../backup-reader/seal.ts';
import { ContentSums } from '../../backup-reader/sums.ts';
import type { Receipt } from '../../catalog/receipt.ts';
import { LONGEST_HEADER } from '../../sealing/header.ts';
import { ContentError, messageOf } from '../../util/errors.ts';
import { formatBytes } from '../../util/format.ts';
import { checkAttachments } from './attachments.ts';
import { type ReadDump, readDump, readSql } from './dumps.ts';
import type { Look } from './look.ts';
import { isPlain } from './pg-restore.ts';

const READ_AHEAD = { ahead: 3 };

/**
 * Reads a dump back that is an object of its own, once.
 * @returns what was found, in one line
 * @throws ContentError when it is not whole
 */
export async function checkBareDump(look: Look, receipt: Receipt): Promise<string> {
  const { reader, units } = look;
  const name = receipt.key.slice(receipt.key.lastIndexOf('/') + 1);
  if (reader.size !== receipt.size) {
    throw changed(name, `has ${reader.size} bytes instead of ${receipt.size}`);
  }
  const seal = receipt.sealed && (await sealOf(look, name));
  const compared = new ContentSums(receipt.sums).compared(name, storedBytes(look));
  const stored = seal ? seal.unsealed(name, compared) : compared;
  let dump: ReadDump;
  try {
    dump = isPlain(receipt.format)
      ? await readSql(name, gunzipped(name, stored))
      : await readDump(look, name, stored);
  } catch (error) {
    throw otherBytes(name, units) ?? error;
  }
  const other = otherBytes(name, units);
  if (other) throw other;
  const { description: sealed } = receipt.sealed ?? {};
  const description = seal && sealed !== undefined ? await openSealedText(sealed, seal) : receipt.description;
  if (description) checkAttachments(name, dump.files, description, false);
  return `${formatBytes(reader.size)}: a whole dump`;
}

async function sealOf({ reader, sealed, identities }: Look, name: string): Promise<Seal> {
  const start = await readExactly(reader, 0, Math.min(LONGEST_HEADER, reader.size));
  return Seal.open(start, name, sealed, identities);
}

async function* storedBytes({ reader, seen }: Look): AsyncGenerator<Buffer> {
  for await (const bytes of readRange(reader, 0, reader.size, READ_AHEAD)) {
    seen(bytes);
    yield bytes;
  }
}

async function* gunzipped(name: string, stored: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: 256 * 1024 });
  pipeline(stored, gunzip, () => {}); // the reader of `gunzip` sees its error
  try {
    yield* gunzip;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    throw /^Z_/.test(code) ? changed(name, `cannot be decompressed: ${messageOf(error)}`, error) : error;
  } finally {
    gunzip.destroy();
  }
}

function otherBytes(name: string, { broken }: UnitCheck): ContentError | undefined {
  if (!broken) return undefined;
  const { offset, length } = broken;
  return changed(name, `has other bytes than were written, from ${offset} to ${offset + length}`);
}

function changed(name: string, what: string, cause?: unknown): ContentError {
  return new ContentError(
    `${JSON.stringify(name)} ${what}.`,
    'It was cut short, damaged or replaced since the backup. Choose another one.',
    { cause },
  );
}
