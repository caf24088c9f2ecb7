/** pg_dump writes its settings at the very start. */
const SETTINGS_BYTES = 16 * 1024;

/**
 * The SQL without `SET transaction_timeout`, which pg_dump writes from 17 on and older servers do not know: psql
 * would stop there.
 */
export async function* withoutTransactionTimeout(sql: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let start: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of sql) {
    if (!start) {
      yield chunk;
      continue;
    }
    start = Buffer.concat([start, chunk]);
    if (start.length < SETTINGS_BYTES) continue;
    yield stripped(start);
    start = undefined;
  }
  if (start) yield stripped(start);
}

/** In Latin-1, every byte is a character: the others pass as they are. */
const stripped = (sql: Buffer): Buffer =>
  Buffer.from(sql.toString('latin1').replace(/^SET transaction_timeout = 0;$/m, ''), 'latin1');
