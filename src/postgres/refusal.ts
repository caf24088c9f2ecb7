/** A statement that PostgreSQL did not take. */
export interface Refusal {
  readonly statement: string;
  /** PostgreSQL's own words. */
  readonly reason: string;
}
