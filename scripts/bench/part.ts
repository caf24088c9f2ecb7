import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import type { Growth } from '../../test/support/growth.ts';
import { run } from '../../test/support/processes.ts';
import { listKeys, s3Client } from '../../test/support/s3.ts';
import type { Case, Measure } from './record.ts';
import type { Place } from './running.ts';

/** What is measured together: cases of one section of the page. */
export interface BenchPart {
  /** What is added to the fixture, by the name of the size. */
  readonly sizes: Readonly<Record<string, Growth>>;
  /** Whether a size is looked at over the long line too. */
  readonly overLongLine: (size: string) => boolean;
  measure(place: Place, session: Session): Promise<Pick<Case, 'runs' | 'serviceSeconds'>>;
}

/** What all of them work with. */
export interface Session {
  readonly program: string;
  readonly rounds: number;
  /** Tells a measure when it was taken. */
  say(contender: string, measure: Measure): void;
}

export type Contender = () => Promise<Measure>;

/** Runs by the name of their contender. */
export class Runs {
  readonly runs: Record<string, Measure[]> = {};
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Measures one of them, once. */
  async take(name: string, contender: Contender): Promise<Measure> {
    const measure = await contender();
    this.#session.say(name, measure);
    this.runs[name] = [...(this.runs[name] ?? []), measure];
    return measure;
  }
}

/** The contenders of a round: each is first as often as the others. */
export function inTurn<T>(contenders: Readonly<Record<string, T>>, round: number): (readonly [string, T])[] {
  const all = Object.entries(contenders);
  const first = round % Math.max(1, all.length);
  return [...all.slice(first), ...all.slice(0, first)];
}

/** Nobody starts with another's objects in the store, or its writes on their way to the disk. */
export async function cleanUp({ sandbox: { s3 }, bucket }: Place): Promise<void> {
  const client = s3Client(s3);
  const keys = await listKeys(client, bucket);
  await Promise.all(keys.map((Key) => client.send(new DeleteObjectCommand({ Bucket: bucket, Key }))));
  if (s3.radosgwAdmin) await run([...s3.radosgwAdmin, 'gc', 'process', '--include-all']);
  await run(['sync']);
}
