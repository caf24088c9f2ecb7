import type { Command } from 'commander';
import { version } from '../../util/version.ts';
import { choices } from '../table.ts';
import { type CommandName, inputsOf } from '../uses.ts';
import { commandWords } from './commands.ts';
import { isCommand, secretVariables, shownCommand } from './program.ts';

/** Columns of the help where the terminal does not say how many it has, and the most that are read with ease. */
const [DEFAULT_WIDTH, MOST_WIDTH] = [80, 100];

const widthOf = (columns: number | undefined): number => Math.min(columns ?? DEFAULT_WIDTH, MOST_WIDTH);

/** What `odoo-backup` alone prints. */
export function usage(columns?: number): string {
  const width = widthOf(columns);
  const names = [...choices.command];
  const column = Math.max(...names.map((name) => name.length)) + 4;
  const commands = names.map((name) => {
    const [first = '', ...rest] = wrapped(commandWords[name].purpose, width - column);
    return [`  ${name.padEnd(column - 2)}${first}`, ...rest.map((line) => ' '.repeat(column) + line)].join(
      '\n',
    );
  });
  return `odoo-backup ${version}: verified Odoo backups in S3, and the way back

Usage: odoo-backup COMMAND [options]

Commands:
${commands.join('\n')}

  odoo-backup COMMAND --help              the options of a command
  odoo-backup completion bash|zsh|fish    a script for command completion
  odoo-backup version
`;
}

/** What `odoo-backup COMMAND --help` prints: some 25 lines, or every option of the command. */
export function commandHelp(name: string, all: boolean, columns?: number): string {
  if (!isCommand(name)) return usage(columns);
  const inputs = inputsOf(name);
  const command = shownCommand(name, { inputs, all });
  const width = widthOf(columns);
  return [
    formatted(command, width),
    `Example:\n  ${wrapped(commandWords[name].example, width - 4, ' \\').join('\n    ')}\n`,
    ...(all ? [ends(name, inputs, width)] : []),
  ].join('\n');
}

function ends(name: CommandName, inputs: Parameters<typeof secretVariables>[0], width: number): string {
  const secrets = secretVariables(inputs);
  const texts = [
    ...(secrets.length > 0 ? [`Secrets can only be variables: ${secrets.join(', ')}.`] : []),
    'Every option can also be a variable, such as ODOO_BACKUP_S3_BUCKET for --s3-bucket; the option wins.',
    `Exit status: 0 success, 1 failure, 2 bad input,${name === 'gate' ? ' 3 the gate is shut,' : ''} 129 to 143 cancelled by a signal.`,
    `docs/inputs.md explains each input.`,
  ];
  return texts.map((text) => `${wrapped(text, width).join('\n')}\n`).join('');
}

/** commander's help of a command, with our usage line. */
function formatted(command: Command, width: number): string {
  command.configureHelp({
    helpWidth: width,
    minWidthToWrap: 40,
    commandUsage: () => `odoo-backup ${command.name()} [options]`,
    // Without the brackets that commander puts around a default of its own.
    optionDescription: (option) => option.description,
  });
  return command.helpInformation();
}

/** A text in lines of a width, where its words allow it. */
function wrapped(text: string, width: number, continuation = ''): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.pop() ?? '';
    if (line !== '' && line.length + 1 + word.length > width - continuation.length) lines.push(line, word);
    else lines.push(line === '' ? word : `${line} ${word}`);
  }
  return lines.map((line, at) => (at < lines.length - 1 ? line + continuation : line));
}
