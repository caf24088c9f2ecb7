import { medianOf, processorOf } from './figures.ts';
import { PARTIES, type Parties, type Party } from './parties.ts';
import type { Case } from './record.ts';

/** Medians of the seconds of processor time that each party took; undefined where that was not measured. */
export function profileOf(found: Case | undefined, contender: string): Parties | undefined {
  const seconds = PARTIES.map((party) => medianOf(found, contender, ({ parties }) => parties?.[party]));
  if (seconds.some((each) => each === undefined)) return undefined;
  return Object.fromEntries(PARTIES.map((party, i) => [party, seconds[i]])) as Parties;
}

/** Headers of the columns of `profileCells`. */
export const PROFILE_HEADER = [
  'PostgreSQL',
  'The rest of the host',
  'The S3 server',
  'The program itself',
  'Nobody in particular',
  'Idle',
] as const;

export const PROFILE_MEANING =
  'Seconds of processor time, of all processors together. “The rest of the host” is sshd and what ran there: pg_dump, compressing, and restic too. “The program itself” is what ran on the runner: ours with all its threads (its main thread in brackets), or the programs of the script. “Nobody in particular” is mostly the kernel at work for the network. “Idle” is what no processor was needed for, and its share of all. The times are the kernel’s own accounts of the processes, not samples.';

export function profileCells(found: Case, contender: string): string[] | undefined {
  const profile = profileOf(found, contender);
  if (!profile) return undefined;
  const all = PARTIES.reduce((sum, party) => sum + profile[party], 0);
  const main = processorOf(found, contender, (each) => each.main);
  const cell: Readonly<Record<Party, string>> = {
    ...{ postgres: '', host: '', s3: '', rest: '' },
    client: main === undefined ? '' : ` (${main.toFixed(1)} s)`,
    idle: `, ${((100 * profile.idle) / all).toFixed(0)} %`,
  };
  return PARTIES.map((party) => `${profile[party].toFixed(1)} s${cell[party]}`);
}

/** What is not as fast as it should be. */
interface Comparison {
  /** How long our program took. */
  readonly seconds: number;
  readonly theirSeconds: number;
  /** What the one is to be at most, as a multiple of the other. */
  readonly goal: number;
}

/**
 * Why the time of our program is more than `goal` of `theirSeconds`, as a sentence or two: who took the processors, and
 * what would be left of the ratio if our program took nothing of them.
 */
export function profileText(
  { postgres, host, s3, client, rest, idle }: Parties,
  { seconds, theirSeconds, goal }: Comparison,
): string {
  const busy = postgres + host + s3 + client + rest;
  const processors = (busy + idle) / seconds;
  const s = (each: number) => `${each.toFixed(1)} s`;
  const shares = `Of ${s(busy)} of processor time, ${s(client)} are ours, ${s(postgres)} PostgreSQL’s, ${s(host)} those of the rest of the host, and ${s(s3)} the S3 server’s; the processors were idle for ${s(idle)} of ${s(busy + idle)}.`;
  const bound = (postgres + host + s3) / processors / theirSeconds;
  const alike = (seconds - client / processors) / theirSeconds;
  if (bound > goal) {
    return `${shares} Even if ours were nothing and no processor were ever idle, the ratio would be ${bound.toFixed(2)}: on this machine, which is also the host and the S3 server, the goal cannot be reached by our own processor time.`;
  }
  if (alike > goal) {
    return `${shares} If ours were nothing and all else as it was, the ratio would be ${alike.toFixed(2)}; if no processor were ever idle either, ${bound.toFixed(2)}: what is missing is mostly waiting, and not our own processor time.`;
  }
  return `${shares} If ours were nothing and all else as it was, the ratio would be ${alike.toFixed(2)}: our own processor time is what is missing.`;
}
