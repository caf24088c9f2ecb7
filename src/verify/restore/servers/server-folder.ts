/** A folder with a server's programs. */
export interface ServerFolder {
  readonly folder: string;
  /** `15` */
  readonly major: number;
}

/** Major version in `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`; undefined: it is no such line. */
export function majorIn(version: string): number | undefined {
  const major = /\(PostgreSQL\) (\d+)/.exec(version)?.[1];
  return major === undefined ? undefined : Number(major);
}
