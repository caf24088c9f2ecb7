import { randomUUID } from 'node:crypto';
import { optionsOf } from '../raw-config.ts';

/** What a guest is told. */
export interface GuestSettings {
  readonly database: string;
  readonly port: number;
  /** A folder of its own: sessions in that of the Odoo in use are those of its users. */
  readonly dataDir: string;
  /** Major version of Odoo; undefined: not known. */
  readonly major: number | undefined;
}

/**
 * Options of the Odoo in use that a guest does not have. Of the password of the database see `openGuest`. A replica of the
 * server may not have the copy yet.
 */
const NOT_ITS: readonly RegExp[] = [
  // Its database, and what chooses one: `dbfilter` would have Odoo look among those that are no templates.
  /^(db_name|dbfilter|db_password|db_template|db_replica_.*|list_db|admin_passwd)$/,
  // Where it listens and what it writes.
  /^((http|xmlrpcs?)_(interface|port|enable)|xmlrpcs?|longpolling_port|gevent_port|proxy_mode)$/,
  /^(data_dir|pidfile|logfile|logrotate|log_db|log_db_level|log_handler|log_level|syslog)$/,
  /^(import_partial|translate_(in|out)|screencasts|screenshots)$/,
  // Whom it tells: mail servers, and OCA's `sentry`, whose alerts are those of the Odoo in use.
  /^(smtp_.*|sentry_.*)$/,
  // Its processes, and what it is to do.
  /^(workers|max_cron_threads|server_wide_modules|init|update|stop_after_init|save|shell_.*)$/,
  /^(dev_mode|reload|auto_reload|debug_mode|test_.*|load_language|overwrite_existing_translations)$/,
];

/** Odoo 19 warns of these, where older versions have written them. */
const NO_VALUE = /^(false|none|)$/i;

/** Before Odoo 11, the options of HTTP had other names; 19 warns of those. */
const FIRST_OF_HTTP = 11;

/**
 * The odoo.conf of a guest: that of the Odoo in use with another database, on a port of loopback, without scheduled
 * actions, without a queue (OCA's queue_job runs where `server_wide_modules` names it, or has a section of its own), and
 * with a mail server that nobody is.
 *
 * @param text of the odoo.conf in use; empty: Odoo runs without one
 */
export function guestConf(text: string, { database, port, dataDir, major }: GuestSettings): string {
  const options = optionsOf(text);
  const kept = [...options].filter(
    ([name, value]) =>
      !NOT_ITS.some((each) => each.test(name)) && !(name.startsWith('db_') && NO_VALUE.test(value.trim())),
  );
  const http = major !== undefined && major < FIRST_OF_HTTP ? 'xmlrpc' : 'http';
  const modules = wideModules(options.get('server_wide_modules'));
  const own: readonly (readonly [string, string])[] = [
    ['db_name', database],
    ['data_dir', dataDir],
    ['list_db', 'False'],
    // Whoever knows it could drop the database in use through this Odoo: nobody does.
    ['admin_passwd', randomUUID()],
    [`${http}_interface`, '127.0.0.1'],
    [`${http}_port`, String(port)],
    ['workers', '0'],
    ['max_cron_threads', '0'],
    ['log_level', 'info'],
    ['smtp_server', '127.0.0.1'],
    ['smtp_port', '1'],
    ...(modules === undefined ? [] : [['server_wide_modules', modules] as const]),
  ];
  const lines = [...kept, ...own].map(([name, value]) => `${name} = ${value.replaceAll('\n', '\n  ')}\n`);
  return `[options]\n${lines.join('')}`;
}

/** Modules that are loaded beside every database, without those that run jobs; undefined: Odoo's default. */
function wideModules(value: string | undefined): string | undefined {
  if (value === undefined || NO_VALUE.test(value.trim())) return undefined;
  const names = value.split(',').map((name) => name.trim());
  const kept = names.filter((name) => name !== '' && !/^queue_job/.test(name));
  return kept.length === 0 ? undefined : kept.join(',');
}
