import type { Case, Measure, Part, Processor, Recorded, RecordedCase } from './record.ts';

/** The median; undefined of nothing. */
export function middle(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}

/** The cases of a part, in the order of their sizes as they were recorded. */
export const casesOf = ({ cases }: Recorded, part: Part): readonly RecordedCase[] =>
  cases.filter((each) => each.part === part);

/** A case by its size and the beginning of its line's title. */
export const caseOf = (
  recorded: Recorded,
  part: Part,
  size: string,
  link = 'loopback',
): RecordedCase | undefined =>
  casesOf(recorded, part).find((each) => each.size === size && each.link.startsWith(link));

/** The median of what a contender took; undefined where nobody measured it. */
export function medianOf(
  found: Case | undefined,
  contender: string,
  pick: (measure: Measure) => number | undefined = ({ seconds }) => seconds,
): number | undefined {
  return middle((found?.runs[contender] ?? []).flatMap((measure) => pick(measure) ?? []));
}

/** How one contender's time is to another's; undefined where one of them was not measured. */
export function ratioOf(found: Case | undefined, ours: string, theirs: string): number | undefined {
  const [our, their] = [medianOf(found, ours), medianOf(found, theirs)];
  return our === undefined || their === undefined ? undefined : our / their;
}

/** The share of our program in the processor time of the whole machine, from 0 to 1. */
export const shareOf = (found: Case | undefined, contender: string): number | undefined =>
  processorOf(found, contender, ({ all, machine }) => all / machine);

export const processorOf = (
  found: Case | undefined,
  contender: string,
  pick: (processor: Processor) => number,
): number | undefined => medianOf(found, contender, ({ processor }) => processor && pick(processor));

/** A straight line through points, by least squares. */
export interface Slope {
  /** At zero. */
  readonly fixed: number;
  /** For each unit of `x`. */
  readonly each: number;
}

/** @returns undefined for fewer than two points */
export function slopeOf(points: readonly (readonly [x: number, y: number])[]): Slope | undefined {
  if (points.length < 2) return undefined;
  const mean = (values: readonly number[]) => values.reduce((sum, each) => sum + each, 0) / values.length;
  const [x, y] = [mean(points.map(([each]) => each)), mean(points.map(([, each]) => each))];
  const spread = points.reduce((sum, [each]) => sum + (each - x) ** 2, 0);
  if (spread === 0) return undefined;
  const each = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0) / spread;
  return { fixed: y - each * x, each };
}

/** How the time of a contender grows with something that cases differ in. */
export const growthOf = (
  cases: readonly Case[],
  contender: string,
  x: (found: Case) => number,
): Slope | undefined =>
  slopeOf(
    cases.flatMap((each) => {
      const seconds = medianOf(each, contender);
      return seconds === undefined ? [] : [[x(each), seconds] as const];
    }),
  );
