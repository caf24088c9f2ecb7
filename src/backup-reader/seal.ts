import { pipeline, Readable } from 'node:stream';
import { createGunzip, gunzipSync } from 'node:zlib';
import type { Receipt } from '../catalog/receipt.ts';
import { openedSize } from '../sealing/chunks.ts';
import type { Identities } from '../sealing/identities.ts';
import { damaged, headerOf, open, openWhole } from '../sealing/stream.ts';
import { UserError } from '../util/errors.ts';
import { formatNames } from '../util/format.ts';
import { only } from '../util/iterables.ts';
import { parseSealedName } from './sealed-names.ts';

/** What is known of a sealed backup before it is opened. */
export interface SealedBackup {
  readonly uri: string;
  /** undefined: no receipt says it. */
  readonly recipients: readonly string[] | undefined;
}

/** What a receipt says of whom its backup is sealed for. */
export const sealedBackup = (uri: string, receipt: Pick<Receipt, 'sealed'> | undefined): SealedBackup => ({
  uri,
  recipients: receipt?.sealed?.recipients,
});

/** Opens what a backup holds that is sealed. */
export class Seal {
  readonly #identities: Identities;
  readonly #headerLength: number;

  private constructor(identities: Identities, headerLength: number) {
    this.#identities = identities;
    this.#headerLength = headerLength;
  }

  /**
   * Looks whether a backup can be opened.
   *
   * @param start the beginning of one of its members
   * @throws UserError when none of the identities is of a recipient: that says nothing about the backup
   * @throws ContentError when it is no file of age
   */
  static async open(
    start: Buffer,
    name: string,
    backup: SealedBackup,
    identities: Identities | undefined,
  ): Promise<Seal> {
    if (!identities) throw isSealed(backup);
    const header = headerOf(start, name);
    if (!header) throw damaged(name, 'it ends within its header');
    let fileKey: Buffer | undefined;
    try {
      fileKey = await identities.fileKeyOf(header);
    } catch (error) {
      throw damaged(name, (error as Error).message, error);
    }
    if (!fileKey && isOf(backup, identities)) {
      throw damaged(name, 'its header is for other recipients than the receipt says');
    }
    if (!fileKey) throw otherIdentity(backup, identities);
    return new Seal(identities, header.bytes.length);
  }

  /** Whether a member is sealed. @param stored its name in the zip */
  opens(stored: string): boolean {
    return parseSealedName(stored) !== undefined;
  }

  /** The size of what comes out of a member that is not packed, in bytes. @throws ContentError where there is none */
  sizeOf(stored: string, size: number): number {
    const opened = openedSize(size, this.#headerLength);
    if (opened === undefined) throw damaged(stored, 'no file of age has its size');
    return opened;
  }

  /**
   * What comes out of a member.
   *
   * @param stored its name in the zip
   * @throws ContentError when it was changed; for a stream where that shows, at its end at the latest
   */
  async content(stored: string, content: Buffer | AsyncIterable<Buffer>): Promise<Buffer | Readable> {
    if (!Buffer.isBuffer(content)) return this.stream(stored, content);
    const opened = await openWhole(content, this.#identities, stored);
    if (!parseSealedName(stored)?.isPacked) return opened;
    try {
      return gunzipSync(opened, { maxOutputLength: MOST_HELD });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') throw notPacked(stored, error);
      return Readable.from(gunzipped(stored, only(opened)), { objectMode: false });
    }
  }

  /** The same for content that comes as a stream. */
  stream(stored: string, content: AsyncIterable<Buffer>): Readable {
    const opened = this.unsealed(stored, content);
    if (!parseSealedName(stored)?.isPacked) return opened;
    return Readable.from(gunzipped(stored, opened), { objectMode: false });
  }

  /** The same as it was before it was sealed: packed, where it was. */
  unsealed(stored: string, content: AsyncIterable<Buffer>): Readable {
    return Readable.from(open(content, this.#identities, stored), { objectMode: false });
  }
}

/** What is packed and held may become so large, in bytes; else it comes as a stream. */
const MOST_HELD = 16 * 2 ** 20;
const PIECE = 256 * 2 ** 10;

async function* gunzipped(stored: string, packed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: PIECE });
  pipeline(Readable.from(packed, { objectMode: false }), gunzip, () => {}); // the reader of `gunzip` sees its error
  try {
    yield* gunzip;
  } catch (error) {
    throw notPacked(stored, error);
  } finally {
    gunzip.destroy();
  }
}

function notPacked(stored: string, error: unknown): unknown {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return /^Z_/.test(code)
    ? damaged(stored, `what comes out cannot be decompressed (${message})`, error)
    : error;
}

/**
 * Looks, by what a receipt says, whether a backup can be opened, before anything of it is read.
 *
 * @throws UserError that says for whom it is sealed
 */
export function assertCanOpen(backup: SealedBackup, identities: Identities | undefined): void {
  const { recipients } = backup;
  if (!recipients) return;
  if (!identities) throw isSealed(backup);
  if (identities.areKnown && !isOf(backup, identities)) throw otherIdentity(backup, identities);
}

const isOf = ({ recipients = [] }: SealedBackup, identities: Identities): boolean =>
  identities.recipients.some((each) => recipients.includes(each));

const MOST_NAMED = 10;

function isSealed({ uri, recipients }: SealedBackup): UserError {
  const whom = recipients ? `for ${formatNames(recipients, MOST_NAMED)}` : 'and no receipt says for whom';
  return new UserError(
    `${uri} is sealed ${whom}: without an identity it cannot be opened`,
    'Give decrypt-with: the identity of one of the recipients (docs/sealing.md).',
  );
}

function otherIdentity({ uri, recipients }: SealedBackup, identities: Identities): UserError {
  const whom = recipients ? `for ${formatNames(recipients, MOST_NAMED)}` : 'for others';
  const given = formatNames(identities.recipients, MOST_NAMED);
  return new UserError(
    `decrypt-with: ${uri} is sealed ${whom}, and the identity that is given ${given === '' ? 'is of none of them' : `is of ${given}`}`,
    'Give the identity of one of the recipients, which age-keygen -y prints for each.',
  );
}
