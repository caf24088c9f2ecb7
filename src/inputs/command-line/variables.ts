import type { Environment } from '../../platform/platform.ts';
import { variableOf } from '../../platform/variables.ts';
import { inputNamed, inputTable } from '../table.ts';
import { nearest } from './nearest.ts';

/** What the command line and the ODOO_BACKUP_* variables say. */
export interface CommandLine {
  /** What is to be printed, and nothing be done. */
  readonly print?: Printed;
  /** The flag, else the variable, else an empty string. */
  input(name: string): string;
  /** Names of the inputs that are flags. */
  readonly flags: readonly string[];
  /** Whether the result goes to standard output as JSON. */
  readonly json: boolean;
  /** The file that gets the result as a page. */
  readonly report?: string | undefined;
  /** The file to take inputs from. */
  readonly config?: string | undefined;
  /** What makes the command line wrong, one line each. */
  readonly problems: readonly string[];
  /** What to do about these problems, where it is not said for all. */
  readonly hint?: string;
  /** Variables that look like inputs and are not. */
  readonly warnings: readonly string[];
}

/** A text that the program has of itself. */
export type Printed =
  /** `missing`: because no command was named. */
  | { readonly kind: 'usage'; readonly missing?: true }
  | { readonly kind: 'version' }
  | { readonly kind: 'help'; readonly command: string; readonly all: boolean }
  | { readonly kind: 'completion'; readonly shell: string };

/** Where nothing is typed, as in a CI: what the variables say. */
export const variableLine = (env: Environment): CommandLine => ({
  input: (name) => env[variableOf(name)] ?? '',
  flags: [],
  json: false,
  problems: [],
  warnings: Object.keys(env).flatMap(unknownVariable),
});

function unknownVariable(variable: string): string[] {
  const [, rest] = /^ODOO_BACKUP_(?!RESULT_)(.+)$/.exec(variable) ?? [];
  const name = rest?.toLowerCase().replaceAll('_', '-');
  if (name === undefined || inputNamed(name)) return [];
  const near = nearest(
    name,
    inputTable.map((input) => input.name),
  );
  return [`${variable} is no input${near ? `; did you mean ${variableOf(near)}?` : ''}`];
}
