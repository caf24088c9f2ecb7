import { optionsOf } from '../raw-config.ts';

/** What a guest is told. */
export interface GuestSettings {
  readonly database: string;
  readonly port: number;
  /** Major version of Odoo; undefined: not known. */
  readonly major: number | undefined;
}

/**
 * Options of the Odoo in use that a guest does not have: its database and what chooses one (`dbfilter` would have Odoo look
 * among the databases that are no templates), where it listens and logs, its processes, and what a developer may have
 * set. Of the password see `openGuest`.
 */
const NOT_ITS =
  /^(db_name|dbfilter|db_password|db_template|list_db|(http|xmlrpcs?)_(interface|port|enable)|xmlrpcs?|longpolling_port|gevent_port|workers|max_cron_threads|logfile|logrotate|log_db|log_db_level|log_handler|log_level|syslog|pidfile|proxy_mode|smtp_.*|dev_mode|reload|debug_mode|test_.*|init|update|server_wide_modules)$/;

/** Odoo 19 warns of these, where older versions have written them. */
const NO_VALUE = /^(false|none|)$/i;

/** Before Odoo 11, the options of HTTP had other names; 19 warns of those. */
const FIRST_OF_HTTP = 11;

/**
 * The odoo.conf of a guest: that of the Odoo in use with another database, on a port of loopback, without scheduled
 * actions, without a queue (OCA's queue_job runs where `server_wide_modules` names it, or has a section of its own), and
 * with a mail server that nobody is.
 *
 * @param text of the odoo.conf in use; empty: there is none
 */
export function guestConf(text: string, { database, port, major }: GuestSettings): string {
  const options = optionsOf(text);
  const kept = [...options].filter(
    ([name, value]) => !NOT_ITS.test(name) && !(name.startsWith('db_') && NO_VALUE.test(value.trim())),
  );
  const http = major !== undefined && major < FIRST_OF_HTTP ? 'xmlrpc' : 'http';
  const modules = wideModules(options.get('server_wide_modules'));
  const own: readonly (readonly [string, string])[] = [
    ['db_name', database],
    ['list_db', 'False'],
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
