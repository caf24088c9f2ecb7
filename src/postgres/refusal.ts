/** A statement that PostgreSQL did not take. */
export interface RefusedStatement {
  readonly statement: string;
  /** PostgreSQL's own words. */
  readonly reason: string;
}
