import { isEncodedKey } from '../../host/ssh/private-key-text.ts';
import type { Environment } from '../../platform/platform.ts';
import { variableOf } from '../../platform/variables.ts';
import { choices, type InputDefinition, inputNamed, inputTable } from '../table.ts';
import { extraOptions } from './commands.ts';
import { nearest } from './nearest.ts';
import { isVariableOnly, parsedCommand } from './program.ts';
import { type CommandLine, type Printed, variableLine } from './variables.ts';

/** Shells that `completion` has a script for. */
export const shells = ['bash', 'zsh', 'fish'] as const;

/** Words that stand where a command does. */
const ownWords = ['help', 'version', 'completion'] as const;

/** Reads `backup --ssh-host HOST --dry-run …`. */
export function parseCommandLine(argv: readonly string[], env: Environment): CommandLine {
  const line = variableLine(env);
  const [first = '', second = ''] = argv;
  if (argv.length === 0 || first === '') return line;
  if (['version', '-v', '-V', '--version'].includes(first)) return { ...line, print: { kind: 'version' } };
  if (first === 'completion') {
    if (shells.some((shell) => shell === second))
      return { ...line, print: { kind: 'completion', shell: second } };
    return { ...line, problems: [`completion: name a shell: ${shells.join(', ')}`] };
  }
  if (first === 'help' && (second === '' || second.startsWith('-')))
    return { ...line, print: { kind: 'usage' } };
  const word = first === 'help' ? second : first;
  if (!word.startsWith('-') && !choices.command.some((each) => each === word)) {
    return { ...line, problems: [noCommand(word)], hint: 'odoo-backup help lists the commands.' };
  }
  if (first === 'help')
    return { ...line, print: { kind: 'help', command: word, all: argv.includes('--all') } };
  return {
    ...line,
    ...parseOptions(word.startsWith('-') ? '' : word, argv.slice(word.startsWith('-') ? 0 : 1), line),
  };
}

type Parsed = Omit<CommandLine, 'warnings'>;

/**
 * Reads what follows the command.
 *
 * @param command empty where none is named
 */
function parseOptions(command: string, argv: readonly string[], { input: variable }: CommandLine): Parsed {
  const problems: string[] = [];
  const values = new Map<string, string>(command === '' ? [] : [['command', command]]);
  const extras = new Map<string, string>();
  const give = (to: Map<string, string>, name: string, value: string) => {
    if (to.has(name)) problems.push(`--${name}: given twice`);
    to.set(name, value);
  };
  const isInline = (name: string, value: string) => argv.includes(`--${name}=${value}`);

  const parser = parsedCommand(command);
  for (const { name } of inputTable) {
    const definition = inputNamed(name);
    if (definition === undefined) continue;
    parser.on(`option:no-${name}`, () => give(values, name, 'false'));
    parser.on(`option:${name}`, (value: string | null) => {
      if (value === null) return give(values, name, 'true');
      if (looksLikeFlag(value) && !isInline(name, value)) return problems.push(`--${name}: needs a value`);
      if (isExposed(definition, value)) return problems.push(exposed(name));
      give(values, name, value);
    });
  }
  for (const name of [...Object.keys(extraOptions), 'all', 'help']) {
    parser.on(`option:${name}`, (value: string | null | undefined) => give(extras, name, value ?? ''));
  }
  let rest: { readonly operands: readonly string[]; readonly unknown: readonly string[] } = {
    operands: [],
    unknown: [],
  };
  try {
    rest = parser.parseOptions([...argv]);
  } catch {
    problems.push(`${argv.at(-1)}: needs a value`); // commander throws for nothing else here
  }
  const asksHelp = [...rest.unknown].some((word) => word === '-h' || word === '--help');
  if (asksHelp || extras.has('help')) {
    const print: Printed =
      command === '' ? { kind: 'usage' } : { kind: 'help', command, all: extras.has('all') };
    return { print, input: variable, flags: [], json: false, problems: [] };
  }
  problems.push(...strangers(rest));
  return {
    input: (name) => values.get(name) ?? variable(name),
    flags: [...values.keys()].filter((name) => name !== 'command'),
    json: extras.has('json'),
    report: extras.get('report'),
    config: extras.get('config'),
    problems,
  };
}

const looksLikeFlag = (value: string): boolean => /^-(?!$|\d)/.test(value);

/** What nothing is known of: flags, and values that no flag is before. What follows an unknown flag is its value. */
function* strangers(rest: {
  readonly operands: readonly string[];
  readonly unknown: readonly string[];
}): Generator<string> {
  const stray = (word: string) => `${word}: unexpected argument; every value needs a --flag`;
  yield* rest.operands.map(stray);
  let before = '';
  for (const word of rest.unknown) {
    if (word.startsWith('-')) yield unknownFlag(word);
    else if (!before.startsWith('-') || before.includes('=')) yield stray(word);
    before = word;
  }
}

function unknownFlag(word: string): string {
  const [flag = ''] = word.split('=');
  const [, negation = '', name = ''] = /^--?(no-)?(.*)$/.exec(flag) ?? [];
  const known = inputNamed(name);
  if (negation !== '' && known) return `${flag}: --${name} takes a value, and is left out where it has none`;
  const near = nearest(name, [
    ...inputTable.map((input) => input.name),
    ...Object.keys(extraOptions),
    'help',
  ]);
  return `${flag}: unknown${near ? `, did you mean --${negation}${near}?` : '; --help lists what there is'}`;
}

function noCommand(word: string): string {
  const near = nearest(word, [...choices.command, ...ownWords]);
  return `${word}: there is no such command${near ? `; did you mean ${near}?` : ''}`;
}

/** A secret, or a URL with a password in it; also the text of a private key, but not the path of its file. */
function isExposed(input: InputDefinition, value: string): boolean {
  if (isVariableOnly(input) || URL.parse(value)?.password) return true;
  return input.secret === true && (/\s|^AGE-/i.test(value) || isEncodedKey(value));
}

const exposed = (name: string, flag = `--${name}`): string =>
  `${flag}: would be readable in the list of processes: set ${variableOf(name)} instead`;
