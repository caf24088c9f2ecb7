import { type Command, CommandError, type Exit } from '../host/host.ts';

/** A psql that ended at an error, of the server or of the connection to it. */
export class SqlError extends CommandError {
  /**
   * What the server says in every language (https://www.postgresql.org/docs/current/errcodes-appendix.html);
   * undefined: it said nothing, as when it let nobody in.
   */
  readonly sqlState: string | undefined;
  /** What was refused, from a psql with `ECHO=errors`. */
  readonly statement: string | undefined;

  /** @param exit of a psql with `VERBOSITY=verbose`; what people need not see of it is left out of the message */
  constructor(command: Command, exit: Exit) {
    const said = exit.stderr.replaceAll(PLACE, '').replaceAll(STATE, '$1').replace(STATEMENT, '');
    super(command, { ...exit, stderr: said.trimEnd() });
    this.statement = STATEMENT.exec(exit.stderr)?.[1];
    this.sqlState = [...exit.stderr.matchAll(STATE)]
      .map(([, , state]) => state)
      .findLast((state) => state !== undefined && !/^0[012]/.test(state));
  }
}

/** `ERROR:  42P01: relation …`: libpq's pqBuildErrorMessage3, in which only the first word is translated. */
const STATE = /^((?:psql:[^:\n]*:\d+: )?[^:\n]+: {2})([0-9A-Z]{5}): /gm;

/** `LOCATION:  parserOpenTable, parse_relation.c:1452` */
const PLACE = /^[^:\n]+: +\w+, [\w./]+:\d+$\n?/gm;

/** psql's own word, in English by `LC_ALL=C`; the statement may have many lines, and is the last that it says. */
const STATEMENT = /^(?:psql:[^:\n]*:\d+: )?STATEMENT: {2}([\s\S]*)/m;

/** admin_shutdown, crash_shutdown, cannot_connect_now; class 08: the connection. */
const AWAY = /^(57P0[123]|08...)$/;

/** Whether the server is not there, or its connection broke: not one word of its own says what it refuses. */
export function isServerAway(error: unknown): boolean {
  if (!(error instanceof SqlError)) return false;
  const { sqlState, exit } = error;
  // psql's own: 2 for a connection that fails, 3 where that breaks in a script.
  return sqlState === undefined ? exit.code === 2 || exit.code === 3 : AWAY.test(sqlState);
}

/** A lock that others held for longer than lock_timeout. */
export const LOCK_NOT_AVAILABLE = '55P03';

/**
 * What a locale or an encoding is refused with that the server's machine does not have, or not together:
 * invalid_parameter_value, wrong_object_type for a locale of the C library, feature_not_supported where it is built
 * without ICU.
 */
export const LOCALE_REFUSED: ReadonlySet<string | undefined> = new Set(['22023', '42809', '0A000']);
