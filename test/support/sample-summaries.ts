// Summaries of a shop that there is not, for pages and pictures: each has what can be shown.

import type { Condition, Entry } from '../../src/catalog/entries.ts';
import { decide } from '../../src/catalog/retention.ts';
import { databasesOverview, listSummary } from '../../src/catalog/summary.ts';
import { failureOf } from '../../src/platform/failure.ts';
import { code, type Summary } from '../../src/report/summary.ts';
import { UserError } from '../../src/util/errors.ts';
import { guidesPolicy } from './catalogs.ts';
import { keyOf, nights, sampleReceipt } from './stored-backups.ts';

export const now = new Date('2026-11-29T16:00:00Z');

/** An entry of the catalog, as it would be read. */
export function entryOf(time: string, condition: Condition, size = 2 ** 30, database = 'shop'): Entry {
  const key = keyOf({ time, database });
  const at = new Date(`${time.slice(0, 10)}T${time.slice(11).replaceAll('-', ':')}Z`);
  const archive = condition.kind === 'without-archive' ? undefined : { key, size, modified: at };
  const receipt = {
    ...sampleReceipt('backups', key, database, size),
    startedAt: at.toISOString(),
    finishedAt: new Date(at.getTime() + 90_000).toISOString(),
    odoo: { version: '17.0', modules: 60 },
    run: { platform: 'github', commit: 'c0ffee0123456789', url: 'https://ci.example/1' },
  } as const;
  const hasReceipt = condition.kind !== 'without-receipt' && condition.kind !== 'unreadable';
  return {
    key,
    database,
    at,
    archive,
    receiptObject: hasReceipt ? { key: key.replace('.zip', '.json'), size: 1, modified: at } : undefined,
    receipt: hasReceipt ? receipt : undefined,
    condition,
  };
}

/** Sixty nights: a restore each Sunday, a night that failed, and three without a backup. */
export function sampleEntries(database = 'shop', count = 60): Entry[] {
  return nights(count, '2026-11-29').flatMap((time, night) => {
    if ([4, 5, 17].includes(night)) return [];
    const weekday = new Date(`${time.slice(0, 10)}T00:00:00Z`).getUTCDay();
    const level = weekday === 0 ? 'restore' : weekday === 3 ? 'contents' : 'upload';
    const condition: Condition =
      night === 10 ? { kind: 'failed', why: 'contents: dump.sql is cut' } : { kind: 'verified', level };
    return [entryOf(time, condition, Math.round(1.2 * 2 ** 30 - night * 2 ** 22), database)];
  });
}

const rollback: Summary = {
  outcome: 'done',
  title: 'shop is back to 2026-11-29 15:41:45 UTC',
  blocks: [
    {
      kind: 'facts',
      rows: [
        ['Database', [code('shop'), ' on postgres@127.0.0.1:22']],
        ['Backup', code('s3://example-odoo-backups/acme/backups/shop_2026-11-29_15-41-45.zip')],
        ['Signed', code('SHA256:SjQQ4j8n6Qpn79hrLKyWupOmg4Vjk6rg6KTSI4EIKv8')],
        ['Commit', code('c0ffee0123456789c0ffee0123456789c0ffee01')],
        ['Downtime', '600 ms, from the stop of Odoo until it was healthy'],
        ['Time', '25.1 s'],
      ],
    },
    {
      kind: 'waterfall',
      title: 'Rollback of shop: 25.1 s, Odoo away for 600 ms',
      bars: [
        ...(
          [
            ['Connect', 0, 400],
            ['Check everything, change nothing', 400, 1100],
            ['Create the database', 1500, 1100],
            ['Load the dump', 2600, 14_400],
            ['Build the filestore', 17_000, 1100],
            ['Compare the new with the backup', 18_100, 500],
          ] as const
        ).map(([name, startMs, ms]) => ({ name, startMs, ms, state: 'Odoo runs' })),
        { name: 'Stop Odoo', startMs: 18_600, ms: 250, state: 'Odoo is down', away: true },
        { name: 'Swap the databases, by rename', startMs: 18_850, ms: 50, state: 'Odoo is down', away: true },
        { name: 'Start Odoo', startMs: 18_900, ms: 300, state: 'Odoo is down', away: true },
        { name: 'Keep what was replaced', startMs: 19_200, ms: 3900, state: 'Odoo runs again' },
      ],
    },
  ],
};

const failure: Summary = {
  outcome: 'failed',
  title: 'blog was not rolled back: everything is as it was before',
  blocks: [
    {
      kind: 'facts',
      rows: [
        ['Failed', 'Wait until Odoo is healthy'],
        ['Because', 'http://127.0.0.1:8069/web/login answers 502'],
        ['What to do', 'See Odoo’s log on the host.'],
      ],
    },
    {
      kind: 'steps',
      title: 'Taken back',
      items: ['Stop Odoo', 'Rename the databases back', 'Start Odoo again'],
    },
    {
      kind: 'printed',
      title: 'The last lines',
      lines: [
        'Traceback (most recent call last):',
        '  File "/opt/odoo/odoo/modules/registry.py", line 87, in new',
        '    odoo.modules.load_modules(registry._db, force_demo, status, update_module)',
        'psycopg2.errors.UndefinedColumn: column res_partner.score does not exist',
      ],
    },
  ],
};

const list = (database: string): Summary => {
  const entries = sampleEntries(database);
  return listSummary(database, decide(entries, guidesPolicy), now, {
    notes: ['Locked objects would stay anyway.'],
  });
};

/** What each picture shows. */
export const samples = {
  rollback: [rollback],
  list: [list('shop')],
  databases: [
    databasesOverview(
      new Map(['blog', 'crm', 'shop'].map((name, i) => [name, sampleEntries(name, 60 - 20 * i)])),
      now,
    ),
    list('blog'),
  ],
  failure: [
    failure,
    failureOf(
      new UserError(
        'S3 denied s3:PutObject on arn:aws:s3:::example-odoo-backups',
        'Allow it in the policy of the role.',
        {
          cause: new Error('AccessDenied'),
        },
      ),
      'No backup was made. Nothing on the host was changed.',
    ),
  ],
} as const satisfies Record<string, readonly Summary[]>;
