/** The version of a PostgreSQL server. */
export class PgVersion {
  /** PostgreSQL's `server_version_num`: 150018 for 15.18, 90624 for 9.6.24. */
  readonly number: number;
  /** As the server says it, for people: `15.18`, `18beta1`. */
  readonly text: string;

  constructor(number: number, text: string) {
    this.number = number;
    this.text = text;
  }

  /** Major version: 15. */
  get major(): number {
    return Math.floor(this.number / 10_000);
  }

  /** Whether the server is of this major version, or of a newer one. */
  isAtLeast(major: number): boolean {
    return this.major >= major;
  }
}

/** The major version in a text such as `15.18 (Debian 15.18-0+deb12u1)`; undefined: it does not begin with one. */
export function majorOf(version: string | undefined): number | undefined {
  const major = Number.parseInt(version ?? '', 10);
  return Number.isNaN(major) ? undefined : major;
}
