// The man page of the command line program, made from the table of inputs and what is said of each command.
import { commandWords, extraOptions } from '../src/inputs/command-line/commands.ts';
import { wordsOf } from '../src/inputs/command-line/option-words.ts';
import { isVariableOnly } from '../src/inputs/command-line/program.ts';
import { choices, type InputDefinition, inputGroups, inputTable } from '../src/inputs/table.ts';
import { inputsOf } from '../src/inputs/uses.ts';
import { variableOf } from '../src/platform/variables.ts';
import type { ActionFile } from './docs.ts';

/** man/odoo-backup.1: https://man7.org/linux/man-pages/man7/man-pages.7.html */
export function manPage(action: ActionFile): string {
  const commands = choices.command.map((name) => {
    const { about, example } = commandWords[name];
    return `.TP\n.B ${roff(name)}\n${roff(about)}\n.IP\n.EX\n${roff(example)}\n.EE`;
  });
  const groups = Object.entries(inputGroups).map(([group, title]) => {
    const inputs: readonly InputDefinition[] = inputTable;
    const own = inputs.filter((input) => input.group === group && input.name !== 'command');
    return `.SS ${roff(title)}\n${own.map((input) => optionOf(input, action)).join('\n')}`;
  });
  const extras = Object.entries(extraOptions).map(
    ([name, { value, brief }]) =>
      `.TP\n.B \\-\\-${roff(name)}${value && ` \\fI${roff(value)}\\fR`}\n${roff(sentence(brief))}`,
  );
  return `.\\" Written by \`npm run docs\` from src/inputs/table.ts and action.yml.
.TH ODOO\\-BACKUP 1 "" "odoo\\-backup" "User Commands"
.ad l
.SH NAME
odoo\\-backup \\- verified Odoo backups in S3, and the way back
.SH SYNOPSIS
.B odoo\\-backup
.I COMMAND
.RI [ options ]
.br
.B odoo\\-backup help
.RI [ COMMAND ]
.br
.B odoo\\-backup completion
.RB { bash | zsh | fish }
.SH DESCRIPTION
It connects to the host of an Odoo over SSH, streams the database and the filestore to S3 as one standard Odoo zip,
verifies the archive there, and can restore it.
.PP
Every option can also be set as a variable, such as
.B ${roff(variableOf('s3-bucket'))}
for
.BR \\-\\-s3\\-bucket ;
if both are set, the option wins. Secrets can only be variables.
.SH COMMANDS
${commands.join('\n')}
.SH OPTIONS
${groups.join('\n')}
.SS In a terminal
${extras.join('\n')}
.SH OUTPUT
The log goes to standard error, and the result to standard output: the summary in a terminal, lines
.IR name = value
for another program, or JSON with
.BR \\-\\-json .
The output of
.B list
always goes to standard output.
.SH FILES
.TP
.I odoo\\-backup.yml
In the working folder: values for inputs that are not given. A key with a value is an input of every run. A key with
keys below it is an environment, for
.BR \\-\\-environment .
.TP
.I ~/.ssh/config
If
.B \\-\\-ssh\\-host
is an alias, its HostName, User, Port, ProxyJump and IdentityFile are used, and the host keys in known_hosts.
.SH ENVIRONMENT
.TP
.BR AWS_ACCESS_KEY_ID ", " AWS_SECRET_ACCESS_KEY ", " AWS_PROFILE
and the other variables of the AWS SDK: the credentials for S3.
.TP
.B SSH_AUTH_SOCK
The SSH agent that logs in if no key is given.
.TP
.B NO_COLOR
No colours are used.
.SH EXIT STATUS
0 for success, 1 for failure, 2 for bad input, 3 if the gate is shut, 129, 130, 131 or 143 if cancelled by a signal.
.SH SEE ALSO
.BR ssh (1),
.BR pg_dump (1),
.BR pg_restore (1)
`;
}

function optionOf(input: InputDefinition, action: ActionFile): string {
  const { value } = wordsOf(input);
  const name = isVariableOnly(input)
    ? `.B ${roff(variableOf(input.name))}`
    : `.B \\-\\-${roff(input.name)}${value && ` \\fI${roff(value)}\\fR`}`;
  const users = choices.command.filter((command) =>
    inputsOf(command).some(({ name: each }) => each === input.name),
  );
  const of = users.length === choices.command.length ? '' : ` Used by ${users.join(', ')}.`;
  const description = (action.inputs[input.name]?.description ?? '').replaceAll('`', '');
  return `.TP\n${name}\n${roff(`${description}${of}`)}`;
}

const sentence = (brief: string): string => `${brief.charAt(0).toUpperCase()}${brief.slice(1)}.`;

/** A text as roff has it: its own characters escaped, one sentence a line, no line that begins as a request. */
function roff(text: string): string {
  const plain = text.replaceAll(/\s+/g, ' ').trim();
  const escaped = plain
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('’', "'")
    .replaceAll('…', '...')
    .replaceAll(
      /[^\x20-\x7e]/g,
      (character) => `\\[u${character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}]`,
    );
  return escaped.replace(/^(?=[.'])/, '\\&');
}
