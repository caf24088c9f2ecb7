import { type Decoder, list, rawText } from '../util/decode.ts';
import { messageOf, UserError } from '../util/errors.ts';
import { type Sql, sql } from './sql.ts';

/** Query: the rows of another, each as one line of JSON. */
export const asJson = (query: Sql): Sql => sql`SELECT row_to_json(r) FROM (${query}) r`;

/**
 * A name of the catalogs. It has 63 bytes in the encoding of its database, unless the server was built for more, and
 * several times that in UTF-8.
 */
export const catalogName = rawText(1000);

/** What a query gives of a text that may be as long as its writer likes: a setting, a definition, a value of Odoo's. */
export const longText = rawText(1_000_000);

/** A list that PostgreSQL makes within a row, such as the privileges of an object. */
export const manyOf = <T>(item: Decoder<T>): Decoder<readonly T[]> => list(item, 100_000);

/**
 * The rows of a query, from the lines that `asJson` makes of them. An owner of the database may have put anything into
 * the tables, or a view in the place of one.
 *
 * @throws UserError that names the first column that is not as it must be
 */
export function decodeRows<Row>(decode: Decoder<Row>, lines: readonly string[]): Row[] {
  try {
    return lines.map((line) => decode(JSON.parse(line), 'row'));
  } catch (cause) {
    throw new UserError(
      `PostgreSQL gives an answer that cannot be used: ${messageOf(cause)}`,
      'Something in the database is not as Odoo and PostgreSQL make it: see what the message names.',
      { cause },
    );
  }
}
