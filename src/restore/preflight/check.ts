import { UserError } from '../../util/errors.ts';
import type { Problem } from '../problem.ts';
import type { PreflightFacts } from './facts.ts';

/** What a check says of the facts; empty: nothing. */
export interface Judgement {
  /** What stands in the way. */
  readonly problems?: readonly Problem[];
  /** What is worth knowing before the restore begins. */
  readonly warnings?: readonly string[];
  /** What was checked and is as it has to be: one thought each. */
  readonly passed?: readonly string[];
}

/** Judges the facts, and nothing else. */
export type Check = (facts: PreflightFacts) => Judgement;

export const problem = (message: string, hint: string): Judgement => ({ problems: [{ message, hint }] });

/** The problem that a function throws, where it throws one. */
export function problemsOf(body: () => unknown): Problem[] {
  try {
    body();
    return [];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return [{ message: error.message, hint: error.hint }];
  }
}
