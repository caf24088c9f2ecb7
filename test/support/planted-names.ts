/**
 * SQL that a role of Odoo may run in its own database: what looks like PostgreSQL's own functions, operators and
 * tables, and springs when a session takes it for that. Each gives what the real one gives. With the rights of a
 * superuser it writes its name to a file; a test's own psql, also of others that use the server meanwhile, does not
 * count.
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
      IF pg_catalog.current_setting('application_name') OPERATOR(pg_catalog.<>) 'psql'
        AND (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) current_user) THEN
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

/**
 * What else a role may put into its own database, beside names and indexes: all of it springs where a superuser selects
 * from these tables, changes them, or converts a value of theirs. `plantedNames` of `public` come before it.
 */
export const PLANTED_OBJECTS = `
  CREATE FUNCTION public.sprung(what text) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $f$
    BEGIN PERFORM public.spring(what); RETURN true; END $f$;

  CREATE TYPE public.planted_state AS ENUM ('installed', 'uninstalled', 'uninstallable', 'to install', 'to upgrade', 'to remove');
  CREATE FUNCTION public.planted_text(a public.planted_state) RETURNS text LANGUAGE plpgsql AS $f$
    BEGIN PERFORM public.spring('cast to text'); RETURN pg_catalog.enum_out(a)::text; END $f$;
  CREATE CAST (public.planted_state AS text) WITH FUNCTION public.planted_text AS IMPLICIT;
  CREATE FUNCTION public.planted_is(a public.planted_state, b text) RETURNS boolean LANGUAGE plpgsql AS $f$
    BEGIN PERFORM public.spring('operator of a type'); RETURN pg_catalog.enum_out(a)::text OPERATOR(pg_catalog.=) b; END $f$;
  CREATE OPERATOR public.= (LEFTARG = public.planted_state, RIGHTARG = text, FUNCTION = public.planted_is);
  ALTER TABLE public.ir_module_module ADD planted_state public.planted_state DEFAULT 'installed';

  CREATE DOMAIN public.planted_domain AS text DEFAULT public.sprung('default of a domain')::text
    CHECK (public.sprung('check of a domain'));
  ALTER TABLE public.res_users
    ADD planted_default boolean DEFAULT public.sprung('default'),
    ADD planted_domain public.planted_domain DEFAULT 'x',
    ADD planted_stored boolean GENERATED ALWAYS AS (public.sprung('generated column') AND login IS NOT NULL) STORED,
    ADD CONSTRAINT planted_check CHECK (public.sprung('check'));

  CREATE STATISTICS public.planted_statistics ON (public.sprung('statistics')), id FROM public.res_partner;

  CREATE RULE planted_rule AS ON UPDATE TO public.res_partner DO ALSO SELECT public.spring('rule');
  CREATE FUNCTION public.planted_trigger() RETURNS trigger LANGUAGE plpgsql AS $f$
    BEGIN PERFORM public.spring('trigger'); RETURN NULL; END $f$;
  CREATE TRIGGER planted_trigger AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON public.ir_config_parameter
    FOR EACH STATEMENT EXECUTE FUNCTION public.planted_trigger();

  CREATE POLICY planted_policy ON public.ir_attachment USING (public.sprung('policy'));
  ALTER TABLE public.ir_attachment ENABLE ROW LEVEL SECURITY;
`;

/** A view in the place of a table, with the same columns, whose rows spring. */
export const plantedView = (table: string): string =>
  `ALTER TABLE public.${table} RENAME TO ${table}_real;
  CREATE VIEW public.${table} AS SELECT t.* FROM public.${table}_real t, (SELECT public.spring('view ${table}') OFFSET 0) s;`;
