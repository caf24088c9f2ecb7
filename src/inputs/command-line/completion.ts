import { choices, type InputDefinition } from '../table.ts';
import { inputsOf } from '../uses.ts';
import { commandWords, extraOptions } from './commands.ts';
import { wordsOf } from './option-words.ts';
import { canBeNegated, isVariableOnly } from './program.ts';
import { shells } from './read.ts';

/** One option of a command, as a shell completes it. */
interface Completed {
  readonly flag: string;
  readonly brief: string;
  /** What may follow: words, a file, or something that cannot be known; undefined: nothing. */
  readonly value: readonly string[] | 'file' | 'any' | undefined;
}

/** The script that completes commands and options in a shell: `source <(odoo-backup completion bash)`. */
export function completionScript(shell: string): string {
  switch (shell) {
    case 'bash':
      return bash();
    case 'zsh':
      return zsh();
    default:
      return fish();
  }
}

const ownCommands = {
  help: 'what a command takes',
  completion: 'a script for a shell',
  version: 'the version',
};

const names = (): string[] => [...choices.command, ...Object.keys(ownCommands)];

const purposeOf = (name: string): string =>
  name in commandWords
    ? commandWords[name as keyof typeof commandWords].purpose
    : ownCommands[name as keyof typeof ownCommands];

function optionsOf(command: (typeof choices.command)[number]): Completed[] {
  const inputs = inputsOf(command).filter((input) => input.name !== 'command' && !isVariableOnly(input));
  const extras = Object.entries(extraOptions).map(
    ([name, { value, brief }]): Completed => ({
      flag: `--${name}`,
      brief,
      value: value === '' ? undefined : 'file',
    }),
  );
  return [
    ...inputs.flatMap(completed),
    ...extras,
    { flag: '--help', brief: 'what it takes', value: undefined },
  ];
}

function completed(input: InputDefinition): Completed[] {
  const { value, brief } = wordsOf(input);
  const follows = input.choices ?? (value === '' ? undefined : value === 'FILE' ? 'file' : 'any');
  const option: Completed = { flag: `--${input.name}`, brief, value: follows };
  const negated: Completed = { flag: `--no-${input.name}`, brief: `not: ${brief}`, value: undefined };
  return canBeNegated(input) ? [option, negated] : [option];
}

/** Every option of any command, once: what follows it is the same everywhere. */
function allOptions(): Completed[] {
  const all = choices.command.flatMap(optionsOf);
  return [...new Map(all.map((option) => [option.flag, option])).values()];
}

function bash(): string {
  const options = allOptions();
  const ofChoices = options.filter(({ value }) => Array.isArray(value));
  const flagsOf = (wanted: string) => options.filter(({ value }) => value === wanted).map(({ flag }) => flag);
  const cases = choices.command.map(
    (name) =>
      `    ${name}) words='${optionsOf(name)
        .map(({ flag }) => flag)
        .join(' ')}' ;;`,
  );
  return `# bash completion of odoo-backup: source <(odoo-backup completion bash)
_odoo_backup() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" words=''
  COMPREPLY=()
  case "$before" in
${ofChoices.map(({ flag, value }) => `    ${flag}) COMPREPLY=($(compgen -W '${(value as readonly string[]).join(' ')}' -- "$current")); return ;;`).join('\n')}
    ${flagsOf('file').join('|')}) COMPREPLY=($(compgen -f -- "$current")); return ;;
    ${flagsOf('any').join('|')}) return ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${names().join(' ')}' -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
    help) words='${choices.command.join(' ')}' ;;
    completion) words='${shells.join(' ')}' ;;
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _odoo_backup odoo-backup
`;
}

/** In single quotes of a shell, without what ends them or means something to _arguments. */
const quoted = (text: string): string => text.replaceAll(/['[\]:\\]/g, ' ');

function zsh(): string {
  const cases = choices.command.map((name) => {
    const specs = optionsOf(name).map(({ flag, brief, value }) => {
      const what =
        value === undefined
          ? ''
          : value === 'file'
            ? ':file:_files'
            : value === 'any'
              ? ':value:'
              : `:word:(${value.join(' ')})`;
      return `        '${flag}${value === undefined ? '' : '='}[${quoted(brief)}]${what}'`;
    });
    return `      ${name}) _arguments -s \\\n${specs.join(' \\\n')} ;;`;
  });
  return `#compdef odoo-backup
# zsh completion of odoo-backup: source <(odoo-backup completion zsh)
_odoo_backup() {
  local line state
  _arguments -C '1:command:->command' '*::argument:->argument'
  case "$state" in
    command)
      local -a commands=(
${names()
  .map((name) => `        '${name}:${quoted(purposeOf(name))}'`)
  .join('\n')}
      )
      _describe command commands ;;
    argument)
      case "$line[1]" in
      help) _values command ${choices.command.join(' ')} ;;
      completion) _values shell ${shells.join(' ')} ;;
${cases.join('\n')}
      esac ;;
  esac
}
compdef _odoo_backup odoo-backup
`;
}

function fish(): string {
  const first = '__fish_use_subcommand';
  const commands = names().map(
    (name) => `complete -c odoo-backup -f -n ${first} -a ${name} -d '${quoted(purposeOf(name))}'`,
  );
  const after = (name: string) => `'__fish_seen_subcommand_from ${name}'`;
  const options = choices.command.flatMap((name) =>
    optionsOf(name).map(({ flag, brief, value }) => {
      const follows =
        value === undefined
          ? ''
          : value === 'file'
            ? ' -r -F'
            : value === 'any'
              ? ' -x'
              : ` -x -a '${value.join(' ')}'`;
      return `complete -c odoo-backup -n ${after(name)} -l ${flag.slice(2)}${follows} -d '${quoted(brief)}'`;
    }),
  );
  return `# fish completion of odoo-backup: odoo-backup completion fish | source
complete -c odoo-backup -f
${commands.join('\n')}
complete -c odoo-backup -f -n ${after('help')} -a '${choices.command.join(' ')}'
complete -c odoo-backup -f -n ${after('completion')} -a '${shells.join(' ')}'
${options.join('\n')}
`;
}
