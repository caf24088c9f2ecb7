import { type Case, runProgram } from './running.ts';

/** The levels that take a look of their own. */
const levels = ['contents', 'restore'] as const;

/** One backup, and what it costs to prove it. */
export interface Verification {
  /** Seconds of the backup itself, which is proven to `upload`. */
  readonly seconds: number;
  readonly archiveBytes: number;
  readonly proofs: readonly VerifiedLevel[];
}

export interface VerifiedLevel {
  readonly level: (typeof levels)[number];
  /** Seconds of the whole command. The contents are checked before a restore. */
  readonly seconds: number;
  /** The most memory that the process held at once. */
  readonly peakBytes: number;
}

/** Makes a backup and verifies it, once a level. */
export async function verification(place: Case, program: string): Promise<Verification> {
  const { outputs, seconds } = await runProgram(place, program, 'backup');
  const proofs: VerifiedLevel[] = [];
  for (const level of levels) {
    const run = await runProgram(place, program, 'verify', { backup: outputs.key ?? '', verify: level });
    proofs.push({ level, seconds: run.seconds, peakBytes: run.peakBytes });
  }
  return { seconds, archiveBytes: Number(outputs.size), proofs };
}
