import { UserError } from '../../util/errors.ts';
import type { Problem } from '../problem.ts';

/** Asks for a fact. @returns undefined where a UserError says why it cannot be found out, which is then a problem */
export type Attempt = <T>(body: () => T | Promise<T>) => Promise<T | undefined>;

/** @param failures is told of what could not be found out */
export const attemptInto =
  (failures: Problem[]): Attempt =>
  async (body) => {
    try {
      return await body();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      failures.push({ message: error.message, hint: error.hint });
      return undefined;
    }
  };
