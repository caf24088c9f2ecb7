import { list, type Sql, sql } from '../postgres/sql.ts';

/** A column that a copy gets another value in, where the table has it. */
interface SwitchedOff {
  readonly table: string;
  readonly column: string;
  /** The new value, as SQL. */
  readonly value: string;
  /** The condition that rows meet, as SQL; absent: all rows. */
  readonly rows?: string;
}

const off = (table: string, column: string): SwitchedOff => ({ table, column, value: 'false', rows: column });
const forgotten = (table: string, ...columns: string[]): SwitchedOff[] =>
  columns.map((column) => ({ table, column, value: 'NULL', rows: `${column} IS NOT NULL` }));

/**
 * What the neutralize.sql of Odoo 16's modules switch off, for the versions before it, under the names of both: logins
 * by other providers, payments, deliveries, calendars, mail by tokens, bought services, tax offices, domains.
 */
const OF_ODOO: readonly SwitchedOff[] = [
  off('auth_oauth_provider', 'enabled'),
  ...['payment_acquirer', 'payment_provider'].map((table) => ({
    table,
    column: 'state',
    value: "'disabled'",
    rows: "state NOT IN ('test', 'disabled')",
  })),
  off('delivery_carrier', 'prod_environment'),
  off('delivery_carrier', 'debug_logging'),
  ...forgotten('res_users', 'google_calendar_rtoken', 'google_calendar_token', 'google_calendar_sync_token'),
  ...forgotten('google_calendar_credentials', 'calendar_rtoken', 'calendar_token', 'calendar_sync_token'),
  ...forgotten(
    'res_users',
    'microsoft_calendar_rtoken',
    'microsoft_calendar_token',
    'microsoft_calendar_sync_token',
  ),
  ...forgotten('ir_mail_server', 'google_gmail_refresh_token', 'google_gmail_access_token'),
  ...forgotten('fetchmail_server', 'google_gmail_refresh_token', 'google_gmail_access_token'),
  ...forgotten('ir_mail_server', 'microsoft_outlook_refresh_token', 'microsoft_outlook_access_token'),
  ...forgotten('fetchmail_server', 'microsoft_outlook_refresh_token', 'microsoft_outlook_access_token'),
  {
    table: 'iap_account',
    column: 'account_token',
    value: "regexp_replace(account_token, '(\\+.*)?$', '+disabled')",
    rows: 'account_token IS NOT NULL',
  },
  { table: 'account_edi_proxy_client_user', column: 'edi_mode', value: "'demo'" },
  { table: 'res_company', column: 'l10n_mx_edi_pac_test_env', value: 'true' },
  ...forgotten(
    'website',
    'domain',
    'google_analytics_key',
    'google_management_client_id',
    'google_management_client_secret',
  ),
  off('website', 'cdn_activated'),
];

/** Jobs of OCA's queue_job, which no version of Odoo knows: its runner would begin what the original is to do. */
const OF_OTHERS: readonly SwitchedOff[] = [
  {
    table: 'queue_job',
    column: 'state',
    value: "'failed'",
    rows: "state IN ('pending', 'enqueued', 'started', 'wait_dependencies')",
  },
  off('auth_saml_provider', 'active'),
];

/** Statement that switches off what there is of them: tables and columns that are not there are passed over. */
function switching(off: readonly SwitchedOff[]): Sql {
  const rows = off.map(
    ({ table, column, value, rows: which = 'true' }) => sql`(${table}, ${column}, ${value}, ${which})`,
  );
  return sql`DO $body$
    DECLARE each record;
    BEGIN
      FOR each IN SELECT * FROM (VALUES ${list(rows)}) AS v (tab, col, val, which) LOOP
        IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('public.' || each.tab)
            AND attname = each.col AND NOT attisdropped) THEN
          EXECUTE format('UPDATE public.%I SET %I = %s WHERE %s', each.tab, each.col, each.val, each.which);
        END IF;
      END LOOP;
    END $body$`;
}

/**
 * Forgets what providers of payments have given to log in with. Their modules name such columns after the provider
 * (`stripe_secret_key`, `ogone_pspid`), those of others as well.
 */
const FORGET_PAYMENT_LOGINS = sql`DO $body$
  DECLARE each record;
  BEGIN
    IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('public.payment_acquirer') AND attname = 'provider') THEN
      FOR each IN EXECUTE $columns$
        SELECT DISTINCT attname, attnotnull FROM pg_attribute JOIN public.payment_acquirer
            ON left(attname::text, length(provider) + 1) = provider || '_'
          WHERE attrelid = 'public.payment_acquirer'::regclass AND attnum > 0 AND NOT attisdropped
            AND atttypid IN ('text'::regtype, 'varchar'::regtype) $columns$
      LOOP
        EXECUTE format('UPDATE public.payment_acquirer SET %I = %L', each.attname, CASE WHEN each.attnotnull THEN '' END);
      END LOOP;
    END IF;
  END $body$`;

/** For Odoo before 16, whose modules cannot say it themselves. */
export const SWITCH_OFF_OLD_MODULES: readonly Sql[] = [switching(OF_ODOO), FORGET_PAYMENT_LOGINS];
/** For every version. */
export const SWITCH_OFF_OTHERS = switching(OF_OTHERS);
