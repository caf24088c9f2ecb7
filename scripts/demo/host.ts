import { globSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatBytes, formatCount, formatCounted } from '../../src/util/format.ts';
import { grow } from '../../test/support/growth.ts';
import type { Odoo } from '../../test/support/odoo.ts';
import { psql } from '../../test/support/postgres.ts';
import type { Sandbox } from '../../test/support/sandbox.ts';
import type { Stage } from './stage.ts';
import { facts, quote } from './story.ts';

/** Years of work in Odoo, in a moment: so much data that a backup of it can be watched. */
export function work(sandbox: Sandbox, odoo: Odoo): Promise<void> {
  return grow(sandbox, odoo, {
    partners: 5_000,
    attachments: [
      { kind: 'photo', size: 500_000, count: 100 },
      { kind: 'report', size: 300_000, count: 50 },
    ],
  });
}

export function workADay(sandbox: Sandbox, odoo: Odoo): Promise<void> {
  return grow(sandbox, odoo, { partners: 20, attachments: [{ kind: 'photo', size: 500_000, count: 5 }] });
}

const overview = `SELECT current_setting('server_version'), pg_database_size(current_database()),
  (SELECT count(*) FROM ir_module_module WHERE state = 'installed'), (SELECT count(*) FROM res_partner),
  (SELECT latest_version FROM ir_module_module WHERE name = 'base')`;
const newestPartners = `SELECT id || '  ' || name || '  ' || email || '  ' || street || ', ' || city
  FROM res_partner ORDER BY id DESC LIMIT 3`;

export async function lookAtHost({ sandbox, odoo, url }: Stage): Promise<void> {
  const { database, filestore, conf } = odoo;
  const query = (sql: string) => psql(sandbox.postgres, database, sql);
  const [server = '', size, modules, partners, base = ''] = (await query(overview)).split('|');
  const files = globSync('[0-9a-f][0-9a-f]/*', { cwd: filestore }).sort();
  const bytes = files.reduce((sum, name) => sum + statSync(join(filestore, name)).size, 0);
  facts([
    ['Odoo', `${/^\d+\.\d+/.exec(base)} with ${formatCounted(Number(modules), 'module')}, at ${url}`],
    [
      'Database',
      `${database}, in PostgreSQL ${server.split(' ')[0]}: ${formatBytes(Number(size))} with its indexes`,
    ],
    ['', `${formatCount(Number(partners))} partners (table res_partner), the newest of them:`],
  ]);
  quote(await query(newestPartners));
  facts([
    [
      'Filestore',
      `${formatCounted(files.length, 'file')}, ${formatBytes(bytes)}, each named by the SHA-1 of its content:`,
    ],
  ]);
  quote(`${files.slice(0, 3).join('\n')}\n…`);
  facts([['odoo.conf', 'tells the backup where all of that is:']]);
  quote((await readFile(conf, 'utf8')).replace(/^(db_password = ).*/m, '$1••••••'));
}
