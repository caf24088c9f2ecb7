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
From the machine that runs it, it reaches the host of an Odoo over SSH, streams its database and its filestore
as one standard Odoo zip to S3, verifies what lies there, and can put all of it back.
.PP
Every option is a variable too, such as
.B ${roff(variableOf('s3-bucket'))}
for
.BR \\-\\-s3\\-bucket ;
the option counts. Secrets are taken from variables only.
.SH COMMANDS
${commands.join('\n')}
.SH OPTIONS
${groups.join('\n')}
.SS In a terminal
${extras.join('\n')}
.SH OUTPUT
The log goes to standard error. Standard output gets the result: for a person the summary, for another program lines
.IR name = value ,
with
.B \\-\\-json
JSON. What
.B list
shows goes there in every case.
.SH FILES
.TP
.I odoo\\-backup.yml
In the working folder: inputs that are not given. A key with a value is an input of every run; a key with keys below
it is an environment, which
.B \\-\\-environment
names.
.TP
.I ~/.ssh/config
Where
.B \\-\\-ssh\\-host
names an alias, its HostName, User, Port, ProxyJump and IdentityFile are taken, and the keys that known_hosts has.
.SH ENVIRONMENT
.TP
.BR AWS_ACCESS_KEY_ID ", " AWS_SECRET_ACCESS_KEY ", " AWS_PROFILE
and the others of AWS's SDK: the credentials of S3.
.TP
.B SSH_AUTH_SOCK
The SSH agent that logs in where there is no key.
.TP
.B NO_COLOR
Nothing is coloured.
.SH EXIT STATUS
0 done, 1 failed, 2 bad input, 3 the gate is shut, 129, 130, 131 or 143 cancelled by a signal.
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
  const of = users.length === choices.command.length ? '' : ` Of ${users.join(', ')}.`;
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
