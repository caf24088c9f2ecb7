import type { Readable, Writable } from 'node:stream';

/** A command for the host: an argument list, never a shell string (see `quote.ts`). */
export interface Command {
  readonly argv: readonly string[];
  /** The account to become, through sudo unless root logged in. Default: the account that logged in. */
  readonly as?: string;
  /** Environment that may be seen by anybody on the host. */
  readonly env?: Readonly<Record<string, string>>;
  /** Environment that may not: it travels on standard input, never on a command line. No line breaks. */
  readonly secretEnv?: Readonly<Record<string, string>>;
  /**
   * Ends the command, and what it started, when sshd closes the connection or we close the command, even while it
   * writes nothing. Its standard input is empty; ours must stay open, because its end is the signal. For long commands.
   */
  readonly guarded?: boolean;
}

/** How a command ended. Exactly one of `code` and `signal` is set. */
export interface Exit {
  readonly code: number | undefined;
  readonly signal: string | undefined;
  /** The last 4 KiB or so of standard error, trimmed. */
  readonly stderr: string;
}

/** A command that runs on the host. Disposing of one that still runs ends it. */
export interface Process extends AsyncDisposable {
  readonly stdin: Writable;
  /** Flow-controlled: what nobody reads is not sent. Errors with the connection's error when that breaks. */
  readonly stdout: Readable;
  /** Settles when the command has ended, whatever its exit code. Rejects when the connection broke. */
  readonly exited: Promise<Exit>;
}

/** The machine that runs Odoo, or a container on it. */
export interface Host extends AsyncDisposable {
  /** For people: `deploy@203.0.113.5:22`. */
  readonly label: string;
  /** The account that logged in. */
  readonly user: string;
  /** How many commands it surely runs at once; undefined: as many as one likes. */
  readonly atOnce?: number;
  /**
   * Settles when it is known that the account runs commands, and rejects with the reason where it does not, as every
   * `start` does. Undefined: it is known.
   */
  readonly proven?: Promise<void>;
  /** Starts a command. @throws UserError when the connection is gone */
  start(command: Command): Promise<Process>;
  /** On a container: the command as the machine outside runs it. Undefined where there is no machine outside. */
  enclose?(command: Command): Command;
}

/** A command on the host ended with another exit code than 0, or by a signal. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exit: Exit;
  /** The program and the account alone: the rest of a command may be secret. */
  readonly #command: Command;

  constructor(command: Command, exit: Exit) {
    const how = exit.signal ? `was ended by signal ${exit.signal}` : `ended with exit code ${exit.code}`;
    const tail = exit.stderr ? `: ${exit.stderr}` : '';
    super(`${command.argv[0]} ${how}${command.as ? ` (as ${command.as})` : ''}${tail}`);
    this.exit = exit;
    this.#command = {
      argv: command.argv.slice(0, 1),
      ...(command.as === undefined ? {} : { as: command.as }),
    };
  }

  /** The same end of the same command, with only a part of what it said. */
  saying(stderr: string): CommandError {
    return new CommandError(this.#command, { ...this.exit, stderr });
  }
}
