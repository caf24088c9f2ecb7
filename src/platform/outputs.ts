import { isPrintable, printableJson } from '../util/controls.ts';
import { messageOf, UserError } from '../util/errors.ts';

/** The outputs that are JSON: whatever is in them can be escaped. */
const JSON_OUTPUTS: readonly string[] = ['json', 'matrix'];

/** Characters of a value that the log repeats where its output could not be written. */
const MOST_REPEATED = 2000;

/**
 * The outputs of a run, on every platform. A value can hold what the host, the database or the bucket says, and goes
 * into files and environments where a line break begins another variable: JSON is escaped, and any other value that
 * holds a control character is left out, with a warning. So is one that the platform itself cannot carry.
 *
 * A write that fails does not end the run, because its results exist: the log has the value, and `assertWritten` tells.
 */
export class Outputs {
  readonly #write: (name: string, value: string) => void;
  readonly #warning: (message: string) => void;
  readonly #unwritten: string[] = [];
  #cause: unknown;

  /** @param write throws `LeftOut` where the platform cannot carry the value */
  constructor(write: (name: string, value: string) => void, warning: (message: string) => void) {
    this.#write = write;
    this.#warning = warning;
  }

  give(name: string, value: string): void {
    try {
      this.#write(name, encoded(name, value));
    } catch (error) {
      if (error instanceof LeftOut) this.#warning(`The output ${name} is left out: ${error.message}`);
      else this.failed(name, value, error);
    }
  }

  /** Notes that an output could not be written. */
  failed(name: string, value: string, error: unknown): void {
    this.#unwritten.push(name);
    this.#cause ??= error;
    const shown = value.length > MOST_REPEATED ? `${value.slice(0, MOST_REPEATED)}…` : value;
    this.#warning(`The output ${name} could not be written (${messageOf(error)}). Its value is ${shown}`);
  }

  /** @throws UserError where a step or job after this one would miss an output */
  assertWritten(): void {
    if (this.#unwritten.length === 0) return;
    throw new UserError(
      `The command has done its work, but these outputs could not be written: ${this.#unwritten.join(', ')}`,
      'Their values are in the log. Make room on the machine that runs the job before what needs them runs again.',
      { cause: this.#cause },
    );
  }
}

/** Why a value is not handed on. */
export class LeftOut extends Error {}

/** @throws LeftOut */
function encoded(name: string, value: string): string {
  if (JSON_OUTPUTS.includes(name)) return printableJson(value).replaceAll('##[', '\\u0023#[');
  if (!isPrintable(value)) throw new LeftOut('its value has a line break or a control character in it.');
  if (value.includes('##[')) throw new LeftOut("its value would be a command of GitHub's runner.");
  return value;
}
