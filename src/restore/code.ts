import type { RestoreSource } from '../backup-reader/open.ts';
import { type CodeComparison, compareCode } from '../odoo/code/compare-code.ts';
import { findCode } from '../odoo/code/find-code.ts';
import type { CodeSwitch } from '../odoo/code/switch-code.ts';
import { differsFrom, isEmpty, switchOf } from '../odoo/code/switch-code.ts';
import type { Block, Facts } from '../report/summary.ts';
import { formatNames } from '../util/format.ts';
import type { CodeOptions } from './options.ts';
import type { Problem } from './problem.ts';
import type { Target } from './target.ts';

/** How the code that Odoo runs stands to the code that the backup was made with; or why that is not known. */
export type CodeFinding =
  | { readonly kind: 'unknown'; readonly because: string }
  /** The backup says nothing of it. */
  | { readonly kind: 'unrecorded'; readonly because: string }
  | (ComparedCode & { readonly kind: 'compared' });

interface ComparedCode extends CodeComparison {
  /** What `code-command` is called with; undefined: it is not asked for, or there is nothing to switch. */
  readonly switching: CodeSwitch | undefined;
  /** Whether a trusted signer says so: then `code-command` may fetch what the host does not have. */
  readonly vouched: boolean;
}

/** Compares the code of the backup with what there is now, read only. */
export async function findCodeDifference(
  { receipt, description, authorship }: Pick<RestoreSource, 'receipt' | 'description' | 'authorship'>,
  { site, installation: { conf } }: Pick<Target, 'site' | 'installation'>,
  { command }: CodeOptions,
): Promise<CodeFinding> {
  const before = receipt?.code ?? description?.code;
  if (!before) return { kind: 'unrecorded', because: 'the backup does not say which code it was made with' };
  if (isEmpty(before)) {
    return {
      kind: 'unrecorded',
      because: 'the backup was made where no code could be seen (addons_path of odoo.conf)',
    };
  }
  const found = await findCode(site, conf);
  if (!found.known) return { kind: 'unknown', because: `the code on the host: ${found.because}` };
  const compared = await compareCode(site, before, found.code);
  const switching = switchOf(before, found.code);
  const wanted = command !== undefined && differsFrom(switching.before, switching.now).length > 0;
  return {
    kind: 'compared',
    ...compared,
    switching: wanted ? switching : undefined,
    vouched: authorship?.kind === 'signed' && authorship.principals !== undefined,
  };
}

/** Why `code-command` cannot run as the account that it is to run as; undefined: it can. */
export async function codeUserProblem(
  { site: { host, accounts } }: Pick<Target, 'site'>,
  { command }: CodeOptions,
): Promise<Problem | undefined> {
  const user = command?.user;
  if (user === undefined || user === host.user) return undefined;
  for await (const as of accounts.usable([user])) if (as === user) return undefined;
  return {
    message: `code-user: ${host.user} may not act as ${user} on ${host.label}`,
    hint: accounts.sudoersHint([user]),
  };
}

/** Differences that one line names. */
const NAMED = 5;

/** For the log and for the facts of a summary. */
export function codeFacts(code: CodeFinding | undefined): Facts['rows'] {
  if (!code || code.kind === 'unrecorded') return [];
  if (code.kind === 'unknown') return [['Code', `not known: ${code.because}`]];
  if (code.differences.length === 0) return [['Code', 'as in the backup']];
  return [['Code', code.differences.slice(0, NAMED).join('; ')]];
}

/** What stands at the top of a summary; empty where the code is the same, or becomes so. */
export function codeNote(code: CodeFinding | undefined): Block[] {
  const warning = codeWarning(code);
  return warning === undefined ? [] : [{ kind: 'note', text: `⚠️ ${warning}` }];
}

/** That old data meets other code; undefined where it does not. */
export function codeWarning(code: CodeFinding | undefined): string | undefined {
  if (code?.kind !== 'compared' || code.differences.length === 0 || code.switching) return undefined;
  const differences = formatNames(code.differences, NAMED);
  return `The code is not the one that the backup was made with, and stays as it is: ${differences}`;
}

/** For the output `json`. */
export function codeJson(code: CodeFinding | undefined): object | null {
  if (code?.kind !== 'compared') return null;
  const { before, now, differences, switching } = code;
  return { same: differences.length === 0, before, now, differences, switched: switching !== undefined };
}
