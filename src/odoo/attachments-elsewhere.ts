import { longText } from '../postgres/rows.ts';
import type { Snapshot } from '../postgres/snapshot.ts';
import { sql } from '../postgres/sql.ts';
import { count, type Decoded, nullable, object } from '../util/decode.ts';

/** How many attachments lie in each storage that is neither the filestore nor the database. */
export type Elsewhere = Readonly<Record<string, number>>;

/** More are counted together: the names come from the database, where anybody may have written them. */
const MOST_STORAGES = 20;
const MOST_HELD = 1000;

/**
 * Counts the attachments whose content is in another storage: those of the OCA's fs_attachment and its likes, which
 * write `code://path` into `store_fname`, and those of Odoo's cloud_storage, which have the type of that name and a
 * URL.
 */
export const attachmentsElsewhere = async (snapshot: Snapshot): Promise<Elsewhere> =>
  named(await (snapshot.onlyCopies ? copied(snapshot) : queried(snapshot)));

function named(rows: readonly Storage[]): Elsewhere {
  const counts: Record<string, number> = {};
  for (const [index, { storage, count }] of rows.entries()) {
    const name = index < MOST_STORAGES ? storageName(storage) : 'others';
    counts[name] = (counts[name] ?? 0) + count;
  }
  return counts;
}

const decodeStorage = object({ storage: nullable(longText), count });
interface Storage extends Decoded<typeof decodeStorage> {}

/** The storage with the most attachments first. */
const queried = (snapshot: Snapshot): Promise<Storage[]> =>
  snapshot.rows(
    decodeStorage,
    sql`SELECT CASE WHEN type = 'cloud_storage' THEN 'cloud_storage ' || split_part(url, '/', 3)
                    ELSE split_part(store_fname, '://', 1) END AS storage, count(*) AS count
          FROM public.ir_attachment
         WHERE type = 'cloud_storage' OR store_fname LIKE '%://%' GROUP BY 1 ORDER BY 2 DESC, 1`,
  );

/** Counts the same as a superuser, who only copies tables of others. */
async function copied(snapshot: Snapshot): Promise<Storage[]> {
  const counts = new Map<string, number>();
  const columns = ['type', 'store_fname', 'url'];
  await snapshot.eachCopied(['public', 'ir_attachment'], columns, ([type, file, url]) => {
    const ofFile = /^(.*?):\/\//s.exec(file ?? '')?.[1];
    const storage = type === 'cloud_storage' ? `cloud_storage ${url?.split('/')[2] ?? ''}` : ofFile;
    if (storage === undefined) return;
    // More names than are told anyway need not be held.
    const held = counts.has(storage) || counts.size < MOST_HELD ? storage : 'others';
    counts.set(held, (counts.get(held) ?? 0) + 1);
  });
  return [...counts].map(([storage, count]) => ({ storage, count })).toSorted((a, b) => b.count - a.count);
}

/** The name of a storage, without characters that no such name has and without the user who logs in to it. */
const storageName = (name: string | null): string =>
  (name ?? '')
    .replace(/[^ ]*@/, '')
    .replace(/[^\w.: -]/g, '?')
    .slice(0, 64)
    .trim() || 'cloud_storage';
