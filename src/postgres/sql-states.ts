/**
 * Codes of PostgreSQL's errors, the same in every language
 * (https://www.postgresql.org/docs/current/errcodes-appendix.html).
 */
export const SQL_STATE = {
  readOnlyTransaction: '25006',
  foreignKeyViolation: '23503',
  serializationFailure: '40001',
  deadlock: '40P01',
  insufficientPrivilege: '42501',
  invalidObjectDefinition: '42P17',
  undefinedFunction: '42883',
  undefinedTable: '42P01',
  undefinedObject: '42704',
  diskFull: '53100',
  tooManyConnections: '53300',
  lockNotAvailable: '55P03',
  notInRepertoire: '22021',
  untranslatable: '22P05',
} as const;

/** The error of a function that names something without its schema, where a restore looks nothing up in `public`. */
export const NOT_FOUND: ReadonlySet<string> = new Set(['42883', '42P01', '42703', '42704', '3F000', '42P02']);

/**
 * What PostgreSQL refuses because of the rows or the definitions themselves, whatever server and role load them: a
 * value that breaks a rule, an exception of the database's own code. Not the invalid_parameter_value of a locale or
 * setting that a server does not have.
 */
export const isAboutContent = (sqlState: string): boolean =>
  sqlState !== '22023' && /^(?:22|23|38|39)|^(?:21000|P0001)$/.test(sqlState);
