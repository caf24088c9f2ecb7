import { type OpenDump, openDump } from '../../src/postgres/custom-format/open.ts';
import { dumpPieces } from '../../src/postgres/custom-format/pieces.ts';

/** The bytes, in chunks of that many. */
export async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Opens a dump that the reader knows. */
export async function opened(dump: Buffer, chunk = 2 ** 16): Promise<OpenDump> {
  const open = await openDump('shop.dump', inChunks(dump, chunk));
  if (open.kind === 'unknown') throw new Error(open.why);
  return open;
}

/** A dump read through: the dump and the SQL that come of it, and how many pieces were for both. */
export async function takenApart(
  dump: Buffer,
  chunk?: number,
): Promise<{ readonly dump: Buffer; readonly sql: Buffer; readonly shared: number }> {
  const [dumps, sqls]: [Buffer[], Buffer[]] = [[], []];
  let shared = 0;
  for await (const { to, bytes } of dumpPieces(await opened(dump, chunk))) {
    if (to !== 'sql') dumps.push(bytes);
    if (to !== 'dump') sqls.push(bytes);
    if (to === 'both') shared += 1;
  }
  return { dump: Buffer.concat(dumps), sql: Buffer.concat(sqls), shared };
}

/** Without the key of `\restrict`, which is another each time. Bytes as characters. */
export const withoutKey = (sql: Buffer): string =>
  sql.toString('latin1').replaceAll(/^(\\(?:un)?restrict) \w+$/gm, '$1 KEY');
