import { answerOf } from './answers.ts';
import type { Check, Finding } from './check.ts';
import { copying } from './copying.ts';
import { keeping } from './keeping.ts';
import { openPlace, type PlaceOptions } from './place.ts';
import { reading } from './reading.ts';
import { writing } from './writing.ts';

export const checks: readonly Check[] = [...writing, ...reading, ...copying, ...keeping];

/**
 * Finds out what an S3 server can do, with the project's own code, in a place of its own there. Nothing of it stays.
 *
 * @param onFinding is told each as it is found
 * @param signal ends it after the check under way
 * @throws UserError when the server cannot be reached or refuses the credentials, an AggregateError when something
 * stays there
 */
export async function conformance(
  options: PlaceOptions,
  onFinding: (finding: Finding) => void = () => {},
  signal?: AbortSignal,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  await using place = await openPlace(options);
  for (const { run, ...check } of checks) {
    signal?.throwIfAborted();
    const finding = { ...check, ...(await answerOf(() => run(place))) };
    findings.push(finding);
    onFinding(finding);
  }
  return findings;
}
