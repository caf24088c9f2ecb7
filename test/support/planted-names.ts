/**
 * SQL that a role of Odoo may run in its own database: what looks like PostgreSQL's own functions, operators and tables, and
 * springs when a session takes it for that. Each gives what the real one gives. With the rights of a superuser it writes its
 * name to a file.
 */
export function plantedNames(schema: string, witness: string): string {
  const spring = `${schema}.spring`;
  const operators = ['name', 'text', 'oid', '"char"', 'int8', 'int4', 'bool'].flatMap((type) =>
    ['=', '<>', '<', '>', ...(type === 'name' || type === 'text' ? ['~', '!~', '~~', '!~~'] : [])].map(
      (operator, i) => {
        const name = `${schema}.op_${type.replaceAll('"', '')}_${i}`;
        // Patterns are text for PostgreSQL: there is no operator of its own for two names.
        const as = type === 'name' ? 'text' : type;
        return `CREATE FUNCTION ${name}(a ${type}, b ${type}) RETURNS boolean LANGUAGE plpgsql AS $f$
          BEGIN PERFORM ${spring}('operator ${type} ${operator}'); RETURN a::${as} OPERATOR(pg_catalog.${operator}) b::${as}; END $f$;
          CREATE OPERATOR ${schema}.${operator} (LEFTARG = ${type}, RIGHTARG = ${type}, FUNCTION = ${name});`;
      },
    ),
  );
  const functions = (
    [
      ['row_to_json', 'record', 'json'],
      ['pg_get_userbyid', 'oid', 'name'],
      ['pg_encoding_to_char', 'int4', 'name'],
      ['current_setting', 'text', 'text'],
      ['pg_database_size', 'oid', 'int8'],
      ['pg_database_size', 'name', 'int8'],
      ['quote_ident', 'text', 'text'],
      ['quote_ident', 'name', 'text'],
      ['to_regclass', 'text', 'regclass'],
      ['pg_size_bytes', 'text', 'int8'],
      ['pg_tablespace_location', 'oid', 'text'],
      ['pg_try_advisory_lock', 'int8', 'boolean'],
      ['pg_function_is_visible', 'oid', 'boolean'],
      ['pg_terminate_backend', 'int4', 'boolean'],
      ['lower', 'text', 'text'],
    ] as const
  ).map(
    ([name, from, to]) => `CREATE FUNCTION ${schema}.${name}(a ${from}) RETURNS ${to} LANGUAGE plpgsql AS $f$
      BEGIN PERFORM ${spring}('function ${name}'); RETURN pg_catalog.${name}(a); END $f$;`,
  );
  const tables = [
    ...['pg_class', 'pg_namespace', 'pg_database', 'pg_roles', 'pg_extension', 'pg_depend', 'pg_sequence'],
    ...['pg_locks', 'pg_stat_activity', 'pg_tablespace', 'pg_settings', 'pg_db_role_setting', 'pg_shdepend'],
  ].map(
    (table) => `CREATE VIEW ${schema}.${table} AS
      SELECT t.* FROM pg_catalog.${table} t, (SELECT ${spring}('table ${table}') OFFSET 0) s;`,
  );
  return [
    `CREATE FUNCTION ${spring}(what text) RETURNS void LANGUAGE plpgsql AS $f$ BEGIN
      IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) current_user) THEN
        EXECUTE pg_catalog.format('COPY (SELECT %L) TO PROGRAM %L', what, 'cat >>${witness}');
      END IF; END $f$;`,
    ...operators,
    ...functions,
    ...tables,
  ].join('\n');
}

/** An index that springs when a query of its table is planned. The role's own sessions may ask as they like. */
export const plantedIndex = (table: string): string =>
  `CREATE FUNCTION public.planted_${table}(a int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $f$
    BEGIN PERFORM public.spring('index ${table}'); RETURN a; END $f$;
  CREATE INDEX planted_${table} ON public.${table} ((public.planted_${table}(1)));`;
