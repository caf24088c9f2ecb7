import { version } from '../version.ts';
import { choices, type InputDefinition, inputGroups, inputTable, variableOf } from './table.ts';

/** What `--help` prints: every input as a flag, in groups. */
export function help(): string {
  const groups = Object.entries(inputGroups).map(([group, title]) => {
    const inputs = inputTable.filter((input) => input.group === group && input.name !== 'command');
    return `${title}\n${inputs.map(helpLine).join('')}`;
  });
  return `odoo-backup ${version}: one verified, standard Odoo zip in S3

Usage: odoo-backup backup --ssh-host USER@HOST --s3-bucket BUCKET [--name value]…

Commands: ${choices.command.join(', ')}.

Each input is a flag (--ssh-host) or a variable (${variableOf('ssh-host')}); the flag counts. Secrets are taken
from variables only. The README says what each of them means.

${groups.join('\n')}
Exit status: 0 done, 1 failed, 2 bad input, 3 the gate is shut, 130 or 143 cancelled.
`;
}

function helpLine(input: InputDefinition): string {
  const flag = input.secret && input.name !== 'ssh-key' ? variableOf(input.name) : `--${input.name}`;
  const facts = [
    input.boolean && 'true or false',
    input.choices?.join(', '),
    input.default && `default ${input.default}`,
    input.environment && `or ${input.environment.join(', ')}`,
  ].filter(Boolean);
  return `  ${flag.padEnd(34)}${facts.join('; ')}`.trimEnd().concat('\n');
}
