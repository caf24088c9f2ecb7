import type { PgVersion } from '../postgres/version.ts';
import { withoutControls } from '../util/controls.ts';
import type { OdooDatabase } from './database.ts';

/** Odoo's manifest.json, as `odoo.service.db.dump_db_manifest` writes it. */
export function odooManifest(database: string, odoo: OdooDatabase, server: PgVersion): string {
  const [, series = '0', minor = '0'] = /^((?:saas~)?\d+)\.(\d+)/.exec(odoo.odooVersion) ?? [];
  const release = /^\d+$/.test(series) ? Number(series) : series;
  // Odoo: "%d.%d" % divmod(server_version / 100, 100), which gives 15.0 for every 15.x since PostgreSQL 10.
  const hundreds = Math.floor(server.number / 100);
  const pgVersion = `${Math.floor(hundreds / 100)}.${hundreds % 100}`;
  return JSON.stringify(
    {
      odoo_dump: '1',
      db_name: database,
      version: odoo.odooVersion,
      version_info: [release, Number(minor), 0, 'final', 0, ''],
      major_version: odoo.odooVersion,
      pg_version: pgVersion,
      modules: odoo.modules,
    },
    undefined,
    4,
  );
}

/** Length of a recorded name in characters, at most: a real one has 43. */
const LONGEST_RECORDED = 1000;

/** The name of a file that is not in the backup, as backup.json records it: anybody may have made it up. */
export const recordedName = (name: string): string => withoutControls(name.slice(0, LONGEST_RECORDED));
