import type { Host } from './host.ts';
import { run } from './run.ts';

/** A folder with PostgreSQL's client programs. */
export interface PostgresClient {
  readonly folder: string;
  /** Major version of its pg_dump: 15. */
  readonly major: number;
}

/** The programs of a host that a backup can use. */
export interface HostTools {
  readonly clients: readonly PostgresClient[];
  /** The programs among zstd, pigz, gzip, tar and find that exist. */
  readonly programs: ReadonlySet<string>;
  readonly cores: number;
}

/**
 * Looks for the host's programs. Debian and PostgreSQL's own packages keep one client a major version side by
 * side, and the `pg_dump` on PATH may be older than the server: so their folders are looked at as well. Where Debian's
 * pg_wrapper stands on PATH, it only chooses among those, and takes longer than all else here.
 */
export async function findTools(host: Host): Promise<HostTools> {
  const script = `for d in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin; do
    [ -x "$d/pg_dump" ] && printf 'client\\t%s\\t%s\\n' "$d" "$("$d/pg_dump" --version)"
  done
  d=$(command -v pg_dump) && case $(readlink -f -- "$d") in
    */pg_wrapper) ;;
    *) printf 'client\\t%s\\t%s\\n' "\${d%/*}" "$(pg_dump --version)" ;;
  esac
  for t in zstd pigz gzip tar find; do command -v $t >/dev/null && printf 'program\\t%s\\n' $t; done
  printf 'cores\\t%s\\n' "$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)"`;
  const clients: PostgresClient[] = [];
  const programs = new Set<string>();
  let cores = 1;
  for (const line of (await run(host, { argv: ['sh', '-c', script] })).split('\n')) {
    const [what, value = '', version = ''] = line.split('\t');
    if (what === 'program') programs.add(value);
    if (what === 'cores') cores = Number(value) || 1;
    const major = majorIn(version);
    if (what === 'client' && major !== undefined) clients.push({ folder: value, major });
  }
  return { clients, programs, cores };
}

/** Major version in a line `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`; undefined: it is no such line. */
export function majorIn(line: string): number | undefined {
  const major = /\(PostgreSQL\) (\d+)/.exec(line)?.[1];
  return major === undefined ? undefined : Number(major);
}

/** The oldest of several programs that is of this major version or of a newer one. */
export const oldestFitting = <Program extends { readonly major: number }>(
  programs: readonly Program[],
  needed: number,
): Program | undefined =>
  programs.filter(({ major }) => major >= needed).toSorted((a, b) => a.major - b.major)[0];
