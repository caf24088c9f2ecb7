import type { Growth } from '../../test/support/growth.ts';
import { type Case, type Done, runProgram } from './running.ts';

/** Filestores of small files: what counts is how many they are. */
export const crowds = {
  '70,000 files': crowdOf(70_000),
  '2,000,000 files': crowdOf(2_000_000),
} as const satisfies Record<string, Growth>;
export type Crowd = keyof typeof crowds;

function crowdOf(count: number): Growth {
  return { attachments: [{ count, size: 200, kind: 'photo' }] };
}

/** A first backup, in full, and the next one, of which S3 copies the filestore. */
export interface Many {
  readonly first: Pick<Done, 'seconds' | 'peakBytes'>;
  readonly next: Pick<Done, 'seconds' | 'peakBytes'>;
}

export async function backUpTwice(place: Case, program: string): Promise<Many> {
  const backUp = () => runProgram(place, program, 'backup', { format: 'custom' });
  const [first, next] = [await backUp(), await backUp()];
  if (!/^ +S3 copies /m.test(next.log)) throw new Error(`S3 has copied nothing: ${next.log}`);
  return { first, next };
}
