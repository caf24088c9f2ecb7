import type { Environment } from '../platform/platform.ts';
import { InputError } from '../util/errors.ts';
import { type BackupInputs, parseBackup } from './backup.ts';
import type { ConfigFile } from './command-line/config-file.ts';
import type { AskSsh } from './command-line/ssh-config.ts';
import { type DoctorInputs, parseDoctor } from './doctor.ts';
import { type FetchInputs, parseFetch } from './fetch.ts';
import { boolean, Fields, oneOf, Refusal } from './fields.ts';
import { type GateInputs, parseGate } from './gate.ts';
import { type HostsInputs, parseHosts } from './hosts.ts';
import { type ListInputs, parseList } from './list.ts';
import { type MarkInputs, parseMark } from './mark.ts';
import { type PruneInputs, parsePrune } from './prune.ts';
import { parseRehearse, type RehearseInputs } from './rehearse.ts';
import { parseRestore, parseRollback, type RestoreInputs, type RollbackInputs } from './restore.ts';
import type { ReadInput } from './secrets.ts';
import { addStandIns } from './stand-ins.ts';
import { choices } from './table.ts';
import { parseVerify, type VerifyInputs } from './verify.ts';

/** What one run is to do, checked: one member for each command. */
export type Inputs = CommandInputs & EverywhereInputs;

type CommandInputs =
  | BackupInputs
  | RollbackInputs
  | RestoreInputs
  | RehearseInputs
  | VerifyInputs
  | GateInputs
  | ListInputs
  | MarkInputs
  | PruneInputs
  | HostsInputs
  | FetchInputs
  | DoctorInputs;

interface EverywhereInputs {
  /** URL that is told how the run ended; undefined: none is. */
  readonly pingUrl: string | undefined;
  /** Whether the page of all databases beside the archives is written anew. */
  readonly catalogPage: boolean;
}

/** What a person at a terminal has already said elsewhere. */
export interface TerminalSources {
  readonly config?: ConfigFile | undefined;
  readonly askSsh?: AskSsh;
}

const parsers: {
  readonly [C in Inputs['command']]: (
    fields: Fields,
    env: Environment,
  ) => Extract<CommandInputs, { command: C }> | undefined;
} = {
  backup: parseBackup,
  rollback: parseRollback,
  restore: parseRestore,
  rehearse: parseRehearse,
  verify: parseVerify,
  gate: parseGate,
  list: parseList,
  mark: parseMark,
  prune: parsePrune,
  hosts: parseHosts,
  fetch: parseFetch,
  doctor: parseDoctor,
};

/**
 * Reads and checks every input of the command.
 *
 * @param read the inputs as the platform has them
 * @param env where defaults such as `S3_BUCKET` come from
 * @param secret is told each password that an inventory or a profile has in a URL
 * @param terminal what stands in for inputs in a terminal
 * @throws InputError with one line for each problem
 */
export function parseInputs(
  read: ReadInput,
  env: Environment,
  secret?: (value: string) => void,
  terminal: TerminalSources = {},
): Inputs {
  const fields = new Fields(read, env, secret, terminal.askSsh);
  const command = fields.required('command', oneOf(choices.command));
  // With an unknown command, or an inventory that cannot be read, missing inputs are not reported.
  const known = command !== undefined && (command === 'hosts' || addStandIns(fields, terminal.config));
  if (!known) throw inputError(fields.problems);
  const inputs = parsers[command](fields, env);
  const pingUrl = fields.optional('ping-url', secretUrl);
  const catalogPage = fields.optional('catalog-page', boolean) ?? false;
  if (inputs === undefined || fields.problems.length > 0) throw inputError(fields.problems);
  return { ...inputs, pingUrl, catalogPage };
}

/** The value is not repeated: who knows it can ping. */
function secretUrl(value: string): string {
  if (/^https?:$/.test(URL.parse(value)?.protocol ?? '')) return value;
  throw new Refusal('is not an http or https URL');
}

/** @param hint what to do; where it is not given, docs/inputs.md is named */
export function inputError(
  problems: readonly string[],
  hint = 'Nothing was touched. docs/inputs.md says what each input takes.',
): InputError {
  const message =
    problems.length === 1
      ? problems.join()
      : [`${problems.length} inputs need a change:`, ...problems].join('\n  ');
  return new InputError(message, hint);
}
