import type { Snapshot } from './snapshot.ts';
import { sql } from './sql.ts';

/** How many attachments lie in each storage that is neither the filestore nor the database. */
export type Elsewhere = Readonly<Record<string, number>>;

/** More are counted together: the names come from the database, where anybody may have written them. */
const MOST_STORAGES = 20;

/**
 * Counts the attachments whose content is in another storage: those of the OCA's fs_attachment and its likes, which
 * write `code://path` into `store_fname`, and those of Odoo's cloud_storage, which have the type of that name and a URL.
 */
export async function attachmentsElsewhere(snapshot: Snapshot): Promise<Elsewhere> {
  const rows = await snapshot.rows<{ storage: string | null; count: number }>(
    sql`SELECT CASE WHEN type = 'cloud_storage' THEN 'cloud_storage ' || split_part(url, '/', 3)
                    ELSE split_part(store_fname, '://', 1) END AS storage, count(*) AS count
          FROM public.ir_attachment
         WHERE type = 'cloud_storage' OR store_fname LIKE '%://%' GROUP BY 1 ORDER BY 2 DESC, 1`,
  );
  const counts: Record<string, number> = {};
  for (const [index, { storage, count }] of rows.entries()) {
    const name = index < MOST_STORAGES ? storageName(storage) : 'others';
    counts[name] = (counts[name] ?? 0) + count;
  }
  return counts;
}

/** A storage's name without what no name of one has. */
const storageName = (name: string | null): string =>
  (name ?? '')
    .replace(/[^\w.: -]/g, '?')
    .slice(0, 64)
    .trim() || 'cloud_storage';
