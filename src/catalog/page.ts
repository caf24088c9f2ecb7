import { htmlOf } from '../report/html.ts';
import type { Store } from '../s3/store.ts';
import { takeInventory } from './entries.ts';
import { catalogFolder } from './keys.ts';
import type { TrustedSigners } from './signatures.ts';
import { databasesOverview, inventorySummary } from './summary.ts';

/** Rows that all tables of the page have. */
const ROWS = 2000;

/**
 * Writes the page of all databases of a customer beside their archives. It is as private as the bucket, and holds what
 * `list` shows.
 *
 * @returns the key of the page
 */
export async function writeCatalogPage(
  store: Store,
  customer: string,
  signers: TrustedSigners,
  now: Date,
): Promise<string> {
  const folder = catalogFolder(store.options.prefix, customer);
  const entries = await takeInventory(store, customer, undefined, signers);
  const databases = new Map(
    [...Map.groupBy(entries, ({ database }) => database)].sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  const most = Math.max(20, Math.floor(ROWS / Math.max(1, databases.size)));
  const summaries = [
    databasesOverview(databases, now),
    ...[...databases].map(([database, own]) => inventorySummary(database, own, now, most)),
  ];
  const heading = `Backups of ${customer}, ${now.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const key = `${folder}index.html`;
  await store.putFile(key, htmlOf(heading, summaries), 'text/html; charset=utf-8');
  return key;
}
