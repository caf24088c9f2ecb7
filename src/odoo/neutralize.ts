import { randomUUID } from 'node:crypto';
import { explaining } from '../host/explaining.ts';
import { run } from '../host/run.ts';
import { inUtf8, PSQL_OPTIONS } from '../postgres/psql.ts';
import { queryRows, runSql } from '../postgres/run-sql.ts';
import type { Postgres } from '../postgres/server.ts';
import { list, type Sql, sql } from '../postgres/sql.ts';
import { count, flag, object } from '../util/decode.ts';
import { UserError } from '../util/errors.ts';
import type { OdooProgram } from './program.ts';
import { SWITCH_OFF_OLD_MODULES, SWITCH_OFF_OTHERS } from './switched-off.ts';

/**
 * Makes a copy harmless, as its own Odoo does it: no crons, no mail in or out, no payments; the statements are each
 * module's own. Without that program (before Odoo 16 there is none) the same is switched off here, as far as Odoo's own
 * modules go; and for every version, what others add.
 *
 * @throws UserError when something that should be off is not: the copy must not be used then
 */
export async function neutralize(
  postgres: Postgres,
  database: string,
  program: OdooProgram | undefined,
): Promise<void> {
  await apply(postgres, database, program);
  if (program === undefined) await runSql(postgres, database, ...SWITCH_OFF_OLD_MODULES);
  await runSql(postgres, database, SWITCH_OFF_OTHERS);
  const [state] = await queryRows(postgres, database, decodeNeutralState, STATE);
  const wrong = [
    ...(state?.neutralized ? [] : ['database.is_neutralized is not set']),
    ...(state?.crons ? [`${state.crons} scheduled actions are active`] : []),
    ...(state?.outgoing ? [`${state.outgoing} outgoing mail servers are active`] : []),
  ];
  const fetching = await incomingServers(postgres, database);
  if (fetching > 0) wrong.push(`${fetching} incoming mail servers are active`);
  if (wrong.length === 0) return;
  throw new UserError(
    `${database} was neutralized, and is not neutral: ${wrong.join('; ')}`,
    'A module has switched something on again. The copy is not activated; see the statements of odoo neutralize --stdout.',
  );
}

async function apply(postgres: Postgres, database: string, program: OdooProgram | undefined): Promise<void> {
  const statements = program && (await odooStatements(program, database));
  const applied =
    statements === undefined
      ? runSql(postgres, database, OWN_STATEMENTS)
      : runForeignSql(postgres, database, statements);
  await applied.catch(
    explaining(({ exit }) => [
      `The statements that neutralize ${database} fail: ${exit.stderr}`,
      'Mostly it is one of a module whose code does not fit the backup: see odoo neutralize --stdout. The copy is not activated.',
    ]),
  );
}

/**
 * What Odoo's account says must not become commands of psql, which may run as another account: what stands behind -c
 * goes to the server as it is, unless a backslash comes first.
 */
async function runForeignSql(postgres: Postgres, database: string, statements: string): Promise<void> {
  const psql = inUtf8(postgres.command('psql', PSQL_OPTIONS, database));
  const script = 'exec "$@" -c "SET statement_timeout = 0; $(cat)"';
  await run(
    postgres.host,
    { ...psql, argv: ['sh', '-c', script, 'sh', ...psql.argv] },
    { input: statements },
  );
}

async function odooStatements({ host, argv, conf, ...how }: OdooProgram, database: string): Promise<string> {
  const config = conf === undefined ? [] : ['--config', conf];
  const command = { argv: [...argv, 'neutralize', ...config, '--database', database, '--stdout'], ...how };
  // It prints its own BEGIN and COMMIT.
  return run(host, command).catch(
    explaining(({ exit }) => [
      `odoo neutralize failed for ${database}: ${exit.stderr}`,
      'Run it by hand on the host to see why. The copy is not activated.',
    ]),
  );
}

/** Odoo's own cleaner of its own tables: stays active in neutralized databases as well. */
const NOT_THE_CLEANER = sql`id NOT IN
  (SELECT res_id FROM public.ir_model_data WHERE model = 'ir.cron' AND name = 'autovacuum_job')`;

/** Where no mail server is active, Odoo sends by the one of its odoo.conf: so there must be one that goes nowhere. */
const NOWHERE = 'neutralization - disable emails';

/**
 * As neutralize.sql of Odoo's base, mail and fetchmail, for all versions: columns that a table lacks are passed over. A
 * template that names its mail server sends by it, active or not.
 */
const OWN_STATEMENTS = sql`BEGIN;
UPDATE public.ir_cron SET active = false WHERE ${NOT_THE_CLEANER};
UPDATE public.ir_mail_server SET active = false;
INSERT INTO public.ir_mail_server SELECT * FROM jsonb_populate_record(NULL::public.ir_mail_server, jsonb_build_object(
  'id', nextval(pg_get_serial_sequence('public.ir_mail_server', 'id')), 'name', ${NOWHERE}::text, 'smtp_host', 'invalid',
  'smtp_port', 1025, 'smtp_encryption', 'none', 'smtp_authentication', 'login', 'sequence', 10, 'active', true));
DO $$ BEGIN
  IF to_regclass('public.fetchmail_server') IS NOT NULL THEN UPDATE public.fetchmail_server SET active = false; END IF;
  IF to_regclass('public.mail_template') IS NOT NULL THEN UPDATE public.mail_template SET mail_server_id = NULL; END IF;
  IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('public.ir_act_server') AND attname = 'webhook_url') THEN
    UPDATE public.ir_act_server SET webhook_url = 'neutralization - disable webhook' WHERE state = 'webhook';
  END IF;
END $$;
INSERT INTO public.ir_config_parameter (key, value) VALUES ('database.is_neutralized', 'true')
  ON CONFLICT (key) DO UPDATE SET value = 'true';
COMMIT`;

const decodeNeutralState = object({ neutralized: flag, crons: count, outgoing: count });

const STATE = sql`SELECT EXISTS (SELECT FROM public.ir_config_parameter
    WHERE key = 'database.is_neutralized' AND lower(value) IN ('true', 't', '1')) AS neutralized,
  (SELECT count(*) FROM public.ir_cron WHERE active AND ${NOT_THE_CLEANER}) AS crons,
  (SELECT count(*) FROM public.ir_mail_server WHERE active AND smtp_host IS DISTINCT FROM 'invalid') AS outgoing`;

async function incomingServers(postgres: Postgres, database: string): Promise<number> {
  const [table] = await runSql(postgres, database, sql`SELECT to_regclass('public.fetchmail_server')`);
  if (!table) return 0;
  const [count] = await runSql(
    postgres,
    database,
    sql`SELECT count(*) FROM public.fetchmail_server WHERE active`,
  );
  return Number(count);
}

/**
 * Gives a copy an identity of its own, as Odoo's restore does for a copy (`ir.config_parameter.init(force=True)`): two
 * databases of one UUID would be one to Odoo's own services, and sessions of one would be good for the other.
 *
 * @returns the new UUID
 * @throws UserError when the database does not keep it
 */
export async function renewIdentity(postgres: Postgres, database: string): Promise<string> {
  const uuid = randomUUID();
  const values: Readonly<Record<string, string | Sql>> = {
    'database.uuid': uuid,
    'database.secret': randomUUID(),
    'database.create_date': sql`to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')`,
  };
  const rows = Object.entries(values).map(([key, value]) => sql`(${key}, ${value})`);
  await runSql(
    postgres,
    database,
    sql`INSERT INTO public.ir_config_parameter (key, value) VALUES ${list(rows)}
       ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
  );
  const kept = sql`SELECT value FROM public.ir_config_parameter WHERE key = 'database.uuid'`;
  const [now] = await runSql(postgres, database, kept);
  if (now === uuid) return uuid;
  throw new UserError(
    `${database} was given a new database.uuid, and has ${now ?? 'none'}`,
    'Something in the database, such as a trigger, has changed it back. The copy is not activated.',
  );
}
