import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import type { Environment } from '../platform/platform.ts';
import { UserError } from '../util/errors.ts';
import type { AskSsh } from './command-line/ssh-config.ts';
import { looksLikePath, passwordsIn, type ReadInput } from './secrets.ts';
import { type InputName, inputNamed } from './table.ts';

/** A value that its input cannot have: the message follows the input's name. */
export class Refusal extends Error {}

/** What an inventory or a profile has for an input: the value, or why it cannot be had. */
export interface StandIn {
  readonly value: string | Refusal;
  /** The input's name and where the value stands, for messages. */
  readonly source: string;
}

/** Looks up what counts where an input is not given. */
export type StandIns = (name: InputName) => StandIn | undefined;

/**
 * The raw inputs, one parser at a time. A parser that refuses its value leaves a line in `problems` and gives
 * undefined, so that one run reports every problem there is.
 */
export class Fields {
  readonly problems: string[] = [];
  readonly #read: ReadInput;
  readonly #env: Environment;
  readonly #secret: (value: string) => void;
  /** What ssh knows of a host, in a terminal; elsewhere nothing. */
  readonly askSsh: AskSsh;
  #standIns: StandIns = () => undefined;

  /** @param secret is told each secret in what stands in, or in a file: the platform knows the inputs themselves */
  constructor(
    read: ReadInput,
    env: Environment,
    secret: (value: string) => void = () => {},
    askSsh: AskSsh = () => undefined,
  ) {
    this.askSsh = askSsh;
    this.#read = read;
    this.#env = env;
    this.#secret = secret;
  }

  /** From here on these count more than the environment and the defaults. */
  standIn(standIns: StandIns): void {
    this.#standIns = standIns;
  }

  /** What the platform has for an input itself; an empty string where it is not given. */
  own(name: InputName): string {
    return this.#read(name).trim();
  }

  /** The trimmed value and where it came from: the input itself, what stands in, the environment, or the default. */
  #find(name: InputName): StandIn | undefined {
    const given = this.own(name);
    if (given !== '') return { value: given, source: name };
    const standIn = this.#standIns(name);
    if (standIn) {
      const { value } = standIn;
      for (const secret of typeof value === 'string' ? passwordsIn(value) : []) this.#secret(secret);
      return standIn;
    }
    const definition = inputNamed(name);
    for (const variable of definition?.environment ?? []) {
      const value = this.#env[variable]?.trim();
      if (value) return { value, source: `${name} (from the environment variable ${variable})` };
    }
    return definition?.default === undefined ? undefined : { value: definition.default, source: name };
  }

  /** Whether the input, or what stands in for it, is there at all. */
  given(name: InputName): boolean {
    return this.#find(name) !== undefined;
  }

  /** Whether somebody has said what the input is to be: it is not its default. */
  isChosen(name: InputName): boolean {
    const found = this.#find(name);
    return found !== undefined && (this.own(name) !== '' || found.value !== inputNamed(name)?.default);
  }

  /** Has the platform mask a secret that was found in what an input names. */
  secret(value: string): void {
    this.#secret(value);
  }

  /** Notes a problem that is not of one value alone. Two parsers of an input find the same one. */
  problem(line: string): void {
    if (!this.problems.includes(line)) this.problems.push(line);
  }

  /** Runs a check of the project's whose errors name their input themselves. */
  check<T>(body: () => T): T | undefined {
    try {
      return body();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.problem(`${error.message}. ${error.hint}`);
      return undefined;
    }
  }

  /** @returns undefined where the input is not given, or is refused */
  optional<T>(name: InputName, parse: (value: string) => T): T | undefined {
    const found = this.#find(name);
    if (found === undefined) return undefined;
    const { value } = found;
    try {
      if (value instanceof Refusal) throw value;
      return this.check(() => parse(value));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.problem(`${found.source}: ${error.message}`);
      return undefined;
    }
  }

  /** As `optional`, for an input that must be there: `missing` says what to give. */
  required<T>(name: InputName, parse: (value: string) => T, missing = 'is required'): T | undefined {
    if (!this.given(name)) this.problem(`${name}: ${missing}`);
    return this.optional(name, parse);
  }
}

/** A value as it is. */
export const text = (value: string): string => value;

/** One of a few words. */
export function oneOf<T extends string>(words: readonly T[]): (value: string) => T {
  return (value) => {
    const word = words.find((each) => each === value);
    if (word === undefined) throw new Refusal(`'${value}' is not one of ${words.join(', ')}`);
    return word;
  };
}

/** `true` or `false` as YAML 1.2 writes them. */
export function boolean(value: string, otherwise = 'neither true nor false'): boolean {
  if (/^(true|True|TRUE)$/.test(value)) return true;
  if (/^(false|False|FALSE)$/.test(value)) return false;
  throw new Refusal(`'${value}' is ${otherwise}`);
}

export function integer(least: number, most: number): (value: string) => number {
  return (value) => {
    const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= least && number <= most) return number;
    throw new Refusal(`'${value}' is not a whole number from ${least} to ${most}`);
  };
}

/** A value that a pattern describes; `form` says in words what it asks for. */
export function matching(pattern: RegExp, form: string): (value: string) => string {
  return (value) => {
    if (!pattern.test(value)) throw new Refusal(`'${value}' is not ${form}`);
    return value;
  };
}

/** A path on the host. It must not depend on the folder that a login starts in. */
export const absolutePath = matching(/^\/[^\0\n]*$/, 'an absolute path on the host');

const units = { d: 24 * 3_600_000, h: 3_600_000, m: 60_000, s: 1000 } as const;

/** `6h`, `90m`, `1h30m`: in milliseconds, from a minute to seven days. */
export const durationMs = (value: string): number => parseDurationMs(value, units.m, 7 * units.d);

/** `1h30m`, `90s`: in milliseconds. */
export function parseDurationMs(value: string, least: number, most: number): number {
  const parts = /^(\d{1,5}d)?(\d{1,5}h)?(\d{1,5}m)?(\d{1,5}s)?$/.exec(value)?.slice(1) ?? [];
  const ms = parts.reduce(
    (sum, part = '0s') => sum + parseInt(part, 10) * units[part.at(-1) as keyof typeof units],
    0,
  );
  if (ms >= least && ms <= most) return ms;
  throw new Refusal(
    `'${value}' is not a duration from ${short(least)} to ${short(most)}, such as 90m or 1h30m`,
  );
}

function short(ms: number): string {
  const [unit, size] = Object.entries(units).find(([, each]) => ms % each === 0) ?? ['ms', 1];
  return `${ms / size}${unit}`;
}

/**
 * A text of several words (a private key, known_hosts lines), or the path of the file on the runner that holds
 * it: GitLab's variables of type "File" and command lines give the path. Line ends become `\n`.
 */
export function textOrFile(value: string): string {
  let content = value;
  if (!/\s/.test(value)) {
    try {
      content = readFileSync(value.replace(/^~(?=\/)/, homedir()), 'utf8');
    } catch (error) {
      throw new Refusal(unreadable(value, error));
    }
  }
  return `${content.replaceAll(/\r\n?/g, '\n').trim()}\n`;
}

/** The value may be a mangled secret: what is no path is not repeated. */
function unreadable(value: string, error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (looksLikePath(value)) {
    if (code === 'ENOENT') return `there is no file ${value}`;
    return `the file ${value} cannot be read (${code ?? 'it is no file'})`;
  }
  return `is neither the text itself nor the path of a file that can be read (${code ?? 'it is no path'})`;
}
