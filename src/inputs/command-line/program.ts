import { Command, Option } from 'commander';
import { variableOf } from '../../platform/variables.ts';
import { choices, type InputDefinition, type InputName, inputGroups, inputTable } from '../table.ts';
import type { CommandName } from '../uses.ts';
import { commandWords, extraOptions } from './commands.ts';
import { wordsOf } from './option-words.ts';

export const isCommand = (word: string): word is CommandName => choices.command.some((each) => each === word);

/** Secrets that can be the path of a file. */
const FILES: readonly string[] = ['ssh-key', 'signing-key', 'decrypt-with'];

/** Whether the command line refuses an input: everybody on the machine can read it there. The key itself is a file. */
export const isVariableOnly = ({ name, secret }: InputDefinition): boolean =>
  secret === true && !FILES.includes(name);

/** Whether `--no-x` is an option as well. */
export const canBeNegated = ({ name, boolean }: InputDefinition): boolean =>
  boolean === true || name === 'filestore';

/** The options of one input, as commander has them. */
export function optionsOf(input: InputDefinition): Option[] {
  const { value, brief } = wordsOf(input);
  const long = `--${input.name}`;
  const text = input.default === undefined || input.boolean ? brief : `${brief} (default: ${input.default})`;
  const option = new Option(value === '' ? `${long} [true|false]` : `${long} <${value}>`, text);
  return canBeNegated(input) ? [option, new Option(`--no-${input.name}`, `not: ${brief}`)] : [option];
}

/**
 * A command that knows every option there is, so that one which this command has no use for is told as such, and not
 * taken for a misspelt one.
 */
export function parsedCommand(name: string): Command {
  const command = new Command(name).exitOverride().configureOutput({ writeErr: () => {} });
  for (const input of inputTable) for (const option of optionsOf(input)) command.addOption(option);
  for (const [extra, { value, brief }] of Object.entries(extraOptions)) {
    command.addOption(new Option(`--${extra}${value === '' ? '' : ` <${value}>`}`, brief));
  }
  return command.addOption(new Option('--all')).helpOption('-h, --help');
}

/** What a shown command is made of. */
interface Shown {
  /** The inputs that it has a use for. */
  readonly inputs: readonly InputDefinition[];
  /** Whether to show all of these, in their groups, and not only what most people give. */
  readonly all: boolean;
}

/** A command as its help shows it. */
export function shownCommand(name: CommandName, { inputs, all }: Shown): Command {
  const { about, required, common } = commandWords[name];
  const command = new Command(name).description(about).usage('[options]').helpOption(false);
  const named = (each: InputName) => inputs.find((input) => input.name === each);
  const needed = required.flatMap((each) => named(each) ?? []);
  const others = inputs.filter(
    ({ name: each }) => !required.some((one) => one === each) && each !== 'command',
  );
  for (const input of needed) command.addOption(shown(input).helpGroup('Required:'));
  const chosen = all
    ? others.filter((input) => !isVariableOnly(input))
    : common.flatMap((each) => named(each) ?? []);
  for (const input of chosen) {
    command.addOption(shown(input).helpGroup(all ? `${inputGroups[input.group]}:` : 'Options:'));
  }
  const rest = others.length - chosen.length;
  const end = all ? 'In a terminal:' : 'Options:';
  for (const [extra, { value, brief }] of Object.entries(extraOptions)) {
    if (!all && extra === 'config') continue;
    command.addOption(new Option(`--${extra}${value === '' ? '' : ` ${value}`}`, brief).helpGroup(end));
  }
  const more = all ? 'this text' : `this text; with --all, ${rest} more options`;
  return command.addOption(new Option('-h, --help', more).helpGroup(end));
}

/** An option with the one form that most people need. */
function shown(input: InputDefinition): Option {
  const { value, brief } = wordsOf(input);
  const isOn = input.boolean && (input.default === 'true' || undecided.some((each) => each === input.name));
  const flag = isOn ? `--no-${input.name}` : `--${input.name}`;
  const text = isOn
    ? `not: ${brief}`
    : input.default && !input.boolean
      ? `${brief} (default: ${input.default})`
      : brief;
  return new Option(value === '' ? flag : `${flag} ${value}`, text);
}

/** True or false, and true where a restore is not told. */
const undecided = ['neutralize', 'new-uuid'] as const;

/** The secrets among inputs, by the variables that they are taken from. */
export const secretVariables = (inputs: readonly InputDefinition[]): string[] =>
  inputs.filter(isVariableOnly).map(({ name }) => variableOf(name));
