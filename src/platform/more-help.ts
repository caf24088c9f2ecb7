import { messageOf } from '../util/errors.ts';
import troubleshooting from './troubleshooting.json' with { type: 'json' };

/**
 * Where docs/troubleshooting.md tells of an error: the heading under which its message stands.
 *
 * @returns undefined where it does not
 */
export function moreHelp(error: unknown): string | undefined {
  for (const message of messagesOf(error)) {
    const [found] = Object.entries(troubleshooting.messages)
      .filter(([pattern]) => hasParts(message, pattern.split('…')))
      .sort(([a], [b]) => b.length - a.length); // the one that says most
    if (found !== undefined) return `${troubleshooting.page}#${found[1]}`;
  }
  return undefined;
}

/** The message, and those of its causes. */
function* messagesOf(error: unknown): Generator<string> {
  yield messageOf(error);
  if (error instanceof Error && error.cause !== undefined) yield* messagesOf(error.cause);
}

/** Whether a message has all parts, in order; what is between them are names. */
function hasParts(message: string, parts: readonly string[]): boolean {
  let from = 0;
  for (const part of parts) {
    const at = message.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return true;
}
