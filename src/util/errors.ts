/** A failure that a person can act on: the message says what happened, the hint says what to do about it. */
export class UserError extends Error {
  override readonly name: string = 'UserError';
  readonly hint: string;

  constructor(message: string, hint: string, options?: { cause?: unknown }) {
    super(message, options);
    this.hint = hint;
  }
}

/**
 * An object of the bucket that is not what it should be: what its key, its receipt or its own directory says of it.
 * Reading it again would not help.
 */
export class ContentError extends UserError {
  override readonly name: string = 'ContentError';
}

/**
 * The archive is whole, and the database in it cannot be restored as it is: PostgreSQL refuses what it holds, and would
 * refuse another backup of it too.
 */
export class UnrestorableError extends ContentError {}

/** Bad input, found before anything was touched. Carries every problem at once. */
export class InputError extends UserError {
  override readonly name = 'InputError';
}

/** There is no backup that the gate would let pass. */
export class GateError extends UserError {
  override readonly name = 'GateError';
}

/** The run was cancelled (a signal) or ran out of its `timeout`. */
export class CancelledError extends UserError {
  override readonly name = 'CancelledError';
  /** The signal that ended the run, where one did. */
  readonly signal: NodeJS.Signals | undefined;

  constructor(message: string, hint: string, signal?: NodeJS.Signals) {
    super(message, hint);
    this.signal = signal;
  }
}

/** What went wrong, in one line, whatever was thrown; never an empty text. */
export function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message || nameOf(error);
  try {
    return String(error) || 'an error without a message';
  } catch {
    return 'an error that cannot be shown'; // of an object without a prototype, for instance
  }
}

/** A name for an error without a message, such as Node.js's AggregateError for a host with two addresses. */
function nameOf(error: Error): string {
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0]);
  return (error as NodeJS.ErrnoException).code ?? error.name;
}
