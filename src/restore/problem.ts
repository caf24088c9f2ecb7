import { UserError } from '../util/errors.ts';

/** Why a restore cannot be done as things are, and what to do about it. */
export interface Problem {
  readonly message: string;
  readonly hint: string;
}

/** @throws UserError with every problem that there is */
export function refuse(problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  const [first] = problems;
  const message =
    problems.length === 1
      ? (first?.message ?? '')
      : [`${problems.length} things stand in the way:`, ...problems.map(({ message }) => message)].join(
          '\n  ',
        );
  const hints = [...new Set(problems.map(({ hint }) => hint))].join(' ');
  throw new UserError(message, `Nothing was changed. ${hints}`);
}
