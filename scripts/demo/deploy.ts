import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../src/util/errors.ts';
import { grow } from '../../test/support/growth.ts';
import { psql } from '../../test/support/postgres.ts';
import { run } from '../../test/support/processes.ts';
import { commitAddon, commits } from './code.ts';
import { lookAround } from './looks.ts';
import type { Stage } from './stage.ts';
import { columns, quote, say } from './story.ts';

/** What its migration script does. */
export const migration = [
  'DROP TABLE res_partner_bank CASCADE',
  "UPDATE res_partner SET name = 'n/a', email = NULL",
  "DELETE FROM ir_config_parameter WHERE key = 'database.uuid'",
];

/** What people enter between the backup and the deploy. */
const invoices = `INSERT INTO account_move
    (name, date, state, move_type, journal_id, currency_id, create_uid, write_uid, create_date, write_date)
  SELECT 'INV/2026/' || lpad((411 + n)::text, 5, '0'), now(), 'posted', 'out_invoice', 1, 1, 2, 2, now(), now()
  FROM generate_series(1, 3) n`;

/** A deploy as nobody wants it: a migration script with a mistake, and a cleanup that takes too much. */
export async function deployBadly(stage: Stage): Promise<void> {
  const { sandbox, odoo, server, addons, looks } = stage;
  looks.push(await lookAround(stage));

  await psql(sandbox.postgres, odoo.database, invoices);
  say('The shop goes on: three invoices are written. Then the deploy checks out the new code of an addon:');
  await commitAddon(sandbox, addons, '2.0');
  quote(await commits(sandbox, addons));

  say('\nIts migration script was never tried on this database:');
  quote(migration.map((statement) => `${statement};`).join('\n'));
  await psql(sandbox.postgres, odoo.database, migration.join('; '));

  say('\nIts cleanup takes attachments that are in use:');
  const [folder = ''] = (await readdir(odoo.filestore)).filter((name) => /^[0-9a-f]{2}$/.test(name)).sort();
  quote(`rm -r ${join(odoo.filestore, folder)}`);
  await run(['rm', '-r', join(odoo.filestore, folder)], { as: sandbox.account });

  say('\nMeanwhile somebody attaches a photo. Then Odoo is started anew, and does not come up:');
  await grow(sandbox, odoo, { attachments: [{ kind: 'photo', size: 500_000, count: 1 }] });
  await server.stop();
  quote(await server.start().then(() => 'It did.', lastWords));
  looks.push(await lookAround(stage));
  const [before, after] = looks;
  say('');
  columns([
    ['', 'before the deploy', 'after it'],
    ['Odoo', before?.odoo ?? '', after?.odoo ?? ''],
    ['Code', before?.code ?? '', after?.code ?? ''],
    ['Newest partner', before?.partner ?? '', after?.partner ?? ''],
    ['Files', before?.files ?? '', after?.files ?? ''],
  ]);
}

/** The end of what a program said before it failed. */
const lastWords = (error: unknown): string =>
  messageOf(error)
    .replace(/^.* ended with \d+: /, '')
    .split('\n')
    .at(-1) ?? '';
