import type { Overwritten } from '../odoo/shared-files.ts';
import type { Problem } from '../restore/problem.ts';
import type { Target } from '../restore/target.ts';
import { UserError } from '../util/errors.ts';
import { formatCounted } from '../util/format.ts';
import type { RehearsalOptions } from './options.ts';

/**
 * Why a command must not run: it names the database in use, or its odoo.conf, in the words of Odoo's own options. That is
 * for who has copied the command from a deploy; no command is searched for everything that it could do.
 */
export function namesInUse(
  { command, start }: Pick<RehearsalOptions, 'command' | 'start'>,
  {
    database,
    installation: { conf },
  }: Pick<Target, 'database'> & { readonly installation: Pick<Target['installation'], 'conf'> },
): Problem[] {
  const inputs = [
    ['rehearse-command', command],
    ['rehearse-start', start],
  ] as const;
  const problems: Problem[] = [];
  for (const [input, shell = ''] of inputs) {
    if (gives(shell, ['-d', '--database', '--db_name', 'PGDATABASE'], database)) {
      problems.push({ message: `${input} names ${database}, the database in use`, hint: HINT });
    }
    if (conf && gives(shell, ['-c', '--config', 'ODOO_RC', 'OPENERP_SERVER'], conf.path)) {
      problems.push({
        message: `${input} names ${conf.path}, the configuration of the Odoo in use`,
        hint: HINT,
      });
    }
  }
  return problems;
}

const HINT = 'Leave that option out: ODOO_RC and PGDATABASE name the copy, and Odoo takes it from there.';

/** Whether an option has that value, or has it in a list, in a shell command: `-d shop`, `--database="shop"`. */
function gives(shell: string, options: readonly string[], value: string): boolean {
  const words = shell.split(/[\s;&|()'"=,]+/);
  return words.some(
    (word, i) =>
      (word === value && isOption(options, words[i - 1])) ||
      options.some((option) => /^-\w$/.test(option) && word === option + value),
  );
}

const isOption = (options: readonly string[], word: string | undefined): boolean =>
  word !== undefined && options.includes(word);

/** The error for files of the filestore in use that were written into; undefined: there are none. */
export function overwritingError({ count, names }: Overwritten): UserError | undefined {
  if (count === 0) return undefined;
  return new UserError(
    `${formatCounted(count, 'file')} of the filestore in use ${count === 1 ? 'was' : 'were'} changed through the copy, such as ${names.join(', ')}: the migration writes into files of the filestore, which are hard links`,
    'Get them back from the backup (odoo-backup fetch), and let the migration write new files, as Odoo does.',
  );
}
