import { UserError } from '../util/errors.ts';
import { CommandError } from './host.ts';

/**
 * For the `catch` of a command: what its failure means, for people. The error of the command is kept as the cause; any
 * other error is thrown as it is.
 *
 * @param words the message and the hint of the UserError
 */
export const explaining =
  (words: (error: CommandError) => readonly [message: string, hint: string]) =>
  (error: unknown): never => {
    if (!(error instanceof CommandError)) throw error;
    throw new UserError(...words(error), { cause: error });
  };
