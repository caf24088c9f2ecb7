import { UserError } from '../util/errors.ts';

/** An archive in another place, which is read by ranges. Offsets and lengths in bytes. */
export interface RangeReader {
  readonly size: number;
  /** Ends its reads, and what is long to do with their bytes. */
  readonly signal?: AbortSignal;
  read(offset: number, length: number): Promise<Buffer>;
}

/**
 * What one request asks for, in bytes: long enough that waiting for it does not count, short enough for two in memory.
 */
export const PIECE_BYTES = 8 * 2 ** 20;

/** How far a range is read ahead. */
export interface ReadAhead {
  /** How many pieces are under way while one is taken: the memory this needs is theirs. Default: 1. */
  readonly ahead?: number;
  /** Length of a piece. Default: PIECE_BYTES. */
  readonly pieceBytes?: number;
}

/** Reads the bytes from `offset` up to `end`, piece by piece, with others under way while one is taken. */
export async function* readRange(
  reader: RangeReader,
  offset: number,
  end: number,
  { ahead = 1, pieceBytes = PIECE_BYTES }: ReadAhead = {},
): AsyncGenerator<Buffer> {
  const coming: Promise<Buffer>[] = [];
  let at = offset;
  for (;;) {
    for (; at < end && coming.length <= ahead; at += pieceBytes) {
      const piece = readExactly(reader, at, Math.min(pieceBytes, end - at));
      piece.catch(() => {}); // thrown where it is awaited, unless nobody reads that far
      coming.push(piece);
    }
    const next = coming.shift();
    if (!next) return;
    yield await next;
  }
}

/** @throws UserError when fewer bytes come */
export async function readExactly(reader: RangeReader, offset: number, length: number): Promise<Buffer> {
  const bytes = await reader.read(offset, length);
  if (bytes.length === length) return bytes;
  throw new UserError(
    `Only ${bytes.length} of ${length} bytes came from byte ${offset} of the backup on.`,
    'The object was changed meanwhile, or the server does not serve ranges. Try again, or choose another backup.',
  );
}
