import { parseArgs } from 'node:util';
import type { Environment } from '../platform/platform.ts';
import { variableOf } from '../platform/variables.ts';
import { type InputDefinition, inputNamed, inputTable } from './table.ts';

/** What the command line and the ODOO_BACKUP_* variables say. */
export interface CommandLine {
  readonly help: boolean;
  readonly version: boolean;
  /** The flag, else the variable, else an empty string. */
  input(name: string): string;
  /** What makes the command line wrong, one line each. */
  readonly problems: readonly string[];
  /** Variables that look like inputs and are not. */
  readonly warnings: readonly string[];
}

/** Reads `backup --ssh-host HOST --dry-run …`. */
export function parseCommandLine(argv: readonly string[], env: Environment): CommandLine {
  const problems: string[] = [];
  const values = new Map<string, string>();
  const give = (flag: string, name: string, value: string) => {
    if (values.has(name)) problems.push(`${flag}: given twice`);
    values.set(name, value);
  };

  // parseArgs would stop at the first problem: it only splits here.
  const { tokens } = parseArgs({
    args: [...argv],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  let unknown = -1;
  for (const token of tokens) {
    if (token.kind === 'positional') {
      if (token.index === 0) give(token.value, 'command', token.value);
      else if (token.index !== unknown + 1)
        problems.push(`${token.value}: what is this? Each value needs its --name`);
    }
    if (token.kind !== 'option' || token.name === 'help' || token.name === 'version') continue;
    const input = inputNamed(token.name);
    const { value } = token;
    if (input === undefined) {
      problems.push(`${token.rawName}: unknown${suggestion(token.name)}`);
      unknown = token.index; // what follows is its value
    } else if (input.boolean) give(token.rawName, input.name, value ?? 'true');
    else if (value === undefined || (value.startsWith('-') && !token.inlineValue)) {
      problems.push(`${token.rawName}: needs a value`);
    } else if (isExposed(input, value)) {
      problems.push(
        `${token.rawName}: would be readable in the list of processes: set ${variableOf(input.name)} instead`,
      );
    } else give(token.rawName, input.name, value);
  }

  const has = (name: string) => tokens.some((token) => token.kind === 'option' && token.name === name);
  return {
    help: has('help'),
    version: has('version'),
    input: (name) => values.get(name) ?? env[variableOf(name)] ?? '',
    problems,
    warnings: Object.keys(env).flatMap(unknownVariable),
  };
}

const options = {
  help: { type: 'boolean' },
  version: { type: 'boolean' },
  ...Object.fromEntries(
    inputTable.map((input) => [input.name, { type: 'boolean' in input ? 'boolean' : 'string' } as const]),
  ),
} as const;

/** A secret, or a URL with a password in it; also the text of a private key, but not the path of its file. */
function isExposed(input: InputDefinition, value: string): boolean {
  if (URL.parse(value)?.password) return true;
  return input.secret === true && (input.name !== 'ssh-key' || /\s/.test(value));
}

function unknownVariable(variable: string): string[] {
  const [, rest] = /^ODOO_BACKUP_(?!RESULT_)(.+)$/.exec(variable) ?? [];
  const name = rest?.toLowerCase().replaceAll('_', '-');
  if (name === undefined || inputNamed(name)) return [];
  const nearest = nearestName(name);
  return [`${variable} is no input${nearest ? `; did you mean ${variableOf(nearest)}?` : ''}`];
}

function suggestion(name: string): string {
  const nearest = nearestName(name);
  return nearest ? `, did you mean --${nearest}?` : '; --help lists what there is';
}

/** The input that a misspelt name means, most likely: a third of its letters may differ. */
function nearestName(name: string): string | undefined {
  const near = inputTable
    .map((input) => ({ name: input.name, edits: editDistance(name, input.name) }))
    .sort((a, b) => a.edits - b.edits)[0];
  return near !== undefined && near.edits <= name.length / 3 ? near.name : undefined;
}

/** Levenshtein's distance, one row of the table at a time. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...to].entries()) {
      const [diagonal = 0, above = 0] = row.slice(j, j + 2);
      next.push(Math.min(above + 1, (next[j] ?? 0) + 1, diagonal + (letter === other ? 0 : 1)));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
