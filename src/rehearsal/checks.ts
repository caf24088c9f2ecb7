import { randomUUID } from 'node:crypto';
import { explaining } from '../host/explaining.ts';
import { feedThrough } from '../host/feed.ts';
import { inTime } from '../host/limits.ts';
import type { SqlFile } from '../odoo/after-load.ts';
import { printedLines } from '../odoo/boot/printed-lines.ts';
import type { Run } from '../platform/run.ts';
import { inUtf8, LOCK_WAIT_SECONDS, PSQL_OPTIONS, psqlScript } from '../postgres/psql.ts';
import type { Postgres } from '../postgres/server.ts';
import { join, type Sql, sql } from '../postgres/sql.ts';
import { endWorkOn, signed } from '../postgres/unfinished-work.ts';
import { withoutControls } from '../util/controls.ts';
import { UserError } from '../util/errors.ts';
import { formatCounted } from '../util/format.ts';

/** A number that a check has to give: from, to. */
export interface Bounds {
  readonly least: number;
  readonly most: number;
}

/** A file of SQL that has to give no row; or one number, where its first line is such as `-- expect: 10..20`. */
export interface DataCheck extends SqlFile {
  readonly expects: Bounds | undefined;
}

/** How one check has ended. */
export interface CheckResult {
  readonly name: string;
  readonly passed: boolean;
  /** What it gave, in words. */
  readonly found: string;
  readonly seconds: number;
}

/**
 * What the first line of a check asks for; undefined: no row.
 *
 * @throws Error where it is such a line, and not right
 */
export function boundsOf(sql: string): Bounds | undefined {
  const [, asked] = /^\s*--\s*expect:(.*)/.exec(sql) ?? [];
  if (asked === undefined) return undefined;
  const [, only, from, to] = /^(-?\d{1,15})$|^(-?\d{1,15})?\.\.(-?\d{1,15})?$/.exec(asked.trim()) ?? [];
  if ((only ?? from ?? to) === undefined) {
    throw new Error(`'${asked.trim()}' is not a number, or a range such as 10..20, 10.. or ..20`);
  }
  return {
    least: Number(only ?? from ?? Number.NEGATIVE_INFINITY),
    most: Number(only ?? to ?? Number.POSITIVE_INFINITY),
  };
}

/** Whether a file has a statement: without one, it would pass whatever the data is. */
export const hasStatement = (sql: string): boolean =>
  /[^\s;]/.test(sql.replaceAll(/--.*|\/\*[\s\S]*?\*\//g, '')); // \s takes the mark of Windows' editors as well

const MOST_SHOWN = 3;
const LONGEST_ROW = 200;

/** Where checks run. */
export interface CheckedDatabase {
  /** The role that owns the database, or has no more rights. */
  readonly login: Postgres;
  readonly database: string;
  /** How long one statement may take; undefined: as long as the run. */
  readonly statementMs?: number;
}

/**
 * Statements before a check, which hold behind a connection pooler as well: it reads only, and waits for no lock for long.
 * Names that stand alone are looked up in `public`. The session has a name, by which it is found again.
 */
const beforeCheck = (session: string, statementMs: number): Sql =>
  join(
    [
      signed(session),
      sql`SET search_path = public`,
      sql`SET default_transaction_read_only = on`,
      sql`SET lock_timeout = ${`${LOCK_WAIT_SECONDS}s`}`,
      sql`SET statement_timeout = ${statementMs}`,
    ],
    sql`; `,
  );

/**
 * Runs a check, read only, as the role that owns the database. When the run ends before it, so does its session: psql
 * alone would wait on the host for the end of the statement, which goes on in the database in use.
 *
 * @throws UserError with PostgreSQL's message where a statement fails
 */
async function runCheck(
  { login: postgres, database, statementMs = 0 }: CheckedDatabase,
  { name, sql, expects }: DataCheck,
  signal: AbortSignal,
): Promise<CheckResult> {
  const started = performance.now();
  const session = `check-${randomUUID()}`;
  const command = inUtf8(
    postgres.command('psql', [...PSQL_OPTIONS, '-v', 'VERBOSITY=terse', '-f', '-'], database),
  );
  const rows: string[] = [];
  let count = 0;
  let last: number | undefined;
  const read = async (stdout: AsyncIterable<Buffer>) => {
    for await (const line of printedLines(stdout, LONGEST_ROW)) {
      if (line.startsWith(`${session} `)) {
        last = Number(line.slice(session.length + 1)) || 0; // psql before 11 does not know it
        continue;
      }
      count += 1;
      if (count <= MOST_SHOWN) rows.push(withoutControls(line));
    }
  };
  try {
    const input = script(session, beforeCheck(session, statementMs), sql);
    await feedThrough({ host: postgres.host, command, signal }, input, read);
  } catch (error) {
    if (signal.aborted) await endSession(postgres, session);
    return explaining(({ exit }) => [
      `rehearse-checks: ${name} fails in ${database}: ${exit.stderr}`,
      'Correct the statement: it is run read only.',
    ])(error);
  }
  if (last === undefined) {
    throw new UserError(
      `rehearse-checks: ${name} does not come to its end in ${database}`,
      'Remove what ends psql, or sends its output elsewhere: \\q, \\o, \\if.',
    );
  }
  if (count === 0) count = last;
  const seconds = (performance.now() - started) / 1000;
  return { name, seconds, ...(expects ? judgeNumber(rows, count, expects) : judgeRows(rows, count)) };
}

/**
 * Runs checks one after the other, all of them, and tells of each.
 *
 * @param results gets what each has found
 * @throws UserError as `runCheck` does
 */
export async function runChecks(
  where: CheckedDatabase,
  checks: readonly DataCheck[],
  results: CheckResult[],
  { platform, signal }: Pick<Run, 'platform' | 'signal'>,
): Promise<void> {
  for (const check of checks) {
    const result = await runCheck(where, check, signal);
    results.push(result);
    platform.info(`${result.passed ? 'passed' : 'FAILED'}: ${result.name}: ${result.found}`);
  }
}

/** The error that names the checks which have failed; undefined: none has. */
export function failedChecks(results: readonly CheckResult[]): UserError | undefined {
  const failed = results.filter(({ passed }) => !passed);
  if (failed.length === 0) return undefined;
  return new UserError(
    `rehearse-checks: ${failed.map(({ name, found }) => `${name} gave ${found}`).join('; ')}`,
    'The data is not as it should be after the deploy: correct the migration, or the check.',
  );
}

/**
 * What stands before is on one line with the first of the check: psql tells the lines of errors. At the end, psql tells that it
 * is there, and how many rows the last statement gave: of rows without columns it prints nothing.
 */
async function* script(session: string, before: Sql, check: string): AsyncGenerator<Buffer> {
  const statements = check.replace(/^\uFEFF/, '');
  const end = `\n;\n\\echo ${session} :ROW_COUNT\n`; // the last one may lack its semicolon
  yield Buffer.from(`${psqlScript(before).trimEnd()} ${statements}${end}`);
}

/** How long the end of a check that was given up may take. */
const ENDING_MS = 20_000;

/** Ends the session of a check. If that fails, its statement ends by its limit. */
async function endSession(postgres: Postgres, session: string): Promise<void> {
  await inTime(ENDING_MS, () => endWorkOn(postgres, session)).catch(() => {});
}

function judgeRows(rows: readonly string[], count: number): Pick<CheckResult, 'passed' | 'found'> {
  if (count === 0) return { passed: true, found: 'no row' };
  const more = count > rows.length ? ' …' : '';
  return { passed: false, found: `${formatCounted(count, 'row')}, expected none: ${rows.join('; ')}${more}` };
}

function judgeNumber(
  rows: readonly string[],
  count: number,
  { least, most }: Bounds,
): Pick<CheckResult, 'passed' | 'found'> {
  const [row = ''] = rows;
  const asked =
    least === most
      ? `${least}`
      : `${Number.isFinite(least) ? least : ''}..${Number.isFinite(most) ? most : ''}`;
  if (count !== 1 || !/^-?\d+(\.\d+)?$/.test(row)) {
    return {
      passed: false,
      found: `${formatCounted(count, 'row')} where one number from ${asked} is expected`,
    };
  }
  const passed = Number(row) >= least && Number(row) <= most;
  return { passed, found: passed ? `${row}, within ${asked}` : `${row}, expected ${asked}` };
}
