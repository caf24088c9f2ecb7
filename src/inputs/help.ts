import { variableOf } from '../platform/variables.ts';
import { version } from '../util/version.ts';
import descriptions from './descriptions.json' with { type: 'json' };
import { choices, type InputDefinition, inputGroups, inputTable } from './table.ts';

const WIDTH = 100;

/** What `--help` prints: every input as a flag, in groups, as action.yml describes it. */
export function help(): string {
  const groups = Object.entries(inputGroups).map(([group, title]) => {
    const inputs = inputTable.filter((input) => input.group === group && input.name !== 'command');
    return `${title}\n\n${inputs.map(helpOn).join('')}`;
  });
  return `odoo-backup ${version}: one verified, standard Odoo zip in S3

Usage: odoo-backup COMMAND [--name value]…
       odoo-backup backup --ssh-host USER@HOST --s3-bucket BUCKET

Commands: ${choices.command.join(', ')}.

${wrapped(descriptions.command, '')}
Each input is a flag (--ssh-host) or a variable (${variableOf('ssh-host')}); the flag counts. Of an input
that is true or false the flag alone means true. Secrets are taken from variables only.

${groups.join('')}Exit status: 0 done, 1 failed, 2 bad input, 3 the gate is shut, 129, 130, 131 or 143 cancelled.
`;
}

/** The flag, or the variable of a secret, and under it what it means. */
function helpOn(input: InputDefinition): string {
  const flag = input.secret && input.name !== 'ssh-key' ? variableOf(input.name) : `--${input.name}`;
  const fallback = input.default === undefined ? '' : ` (default: ${input.default})`;
  return `  ${flag}${fallback}\n${wrapped(descriptions[input.name as keyof typeof descriptions], '      ')}\n`;
}

/** A text in indented lines that fit the width where words allow it, without the marks of code. */
function wrapped(text: string, indent: string): string {
  const lines = [''];
  for (const word of text.replaceAll('`', '').split(/\s+/)) {
    const line = lines.pop() ?? '';
    if (line !== '' && indent.length + line.length + 1 + word.length > WIDTH) lines.push(line, word);
    else lines.push(line === '' ? word : `${line} ${word}`);
  }
  return lines.map((line) => `${indent}${line}\n`).join('');
}
