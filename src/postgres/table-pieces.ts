/** A table of a database, by its names as they are, without quotes. */
export interface TableName {
  readonly schema: string;
  readonly table: string;
}

/**
 * A piece of what a dump holds of one table, as SQL, in this order: what sets the session up, the statement that makes
 * the table, the COPY statement, and the rows with the line `\.` behind them. What sets up, and the rows, may come in
 * several pieces.
 */
export interface TablePiece {
  readonly part: 'session' | 'definition' | 'copy' | 'rows';
  readonly bytes: Buffer;
}

/** The pieces of one table, and what else there was on the way. */
export interface TableSearch {
  readonly pieces: AsyncGenerator<TablePiece>;
  /** Tables that have been seen by now, `schema.table`, in the order of the dump; not more than `MOST_SEEN`. */
  readonly seen: ReadonlySet<string>;
}

export const MOST_SEEN = 20_000;
