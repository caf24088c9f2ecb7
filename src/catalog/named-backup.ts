import type { Store } from '../s3/store.ts';
import { InputError } from '../util/errors.ts';
import type { Backup } from './keys.ts';

/**
 * The backups that a key, an `s3://` URI or a time names.
 *
 * @throws InputError when it is none of these, or the URI is of another bucket
 */
export function whichIsMeant(
  store: Store,
  backup: string,
): (candidate: Pick<Backup, 'archive' | 'at'>) => boolean {
  const key = keyOf(store, backup);
  if (key !== undefined) return ({ archive }) => archive?.key === key;
  const time = parseTime(backup).getTime();
  return ({ at }) => at.getTime() === time;
}

/** Looks whether a text can name a backup at all. @throws InputError where it cannot */
export function assertNamesBackup(text: string): void {
  if (text !== 'latest' && !text.includes('/')) parseTime(text);
}

/** undefined: it is not a key. @throws InputError when it is in another bucket */
export function keyOf(store: Store, backup: string): string | undefined {
  const uri = /^s3:\/\/([^/]+)\/(.+)$/s.exec(backup);
  if (uri && uri[1] !== store.options.bucket) {
    throw new InputError(
      `backup: ${backup} lies in another bucket than ${store.options.bucket}`,
      'Set s3-bucket to the bucket of the backup.',
    );
  }
  return uri?.[2] ?? (backup.includes('/') ? backup : undefined);
}

/** @throws InputError when it is not a time. Without a zone it is UTC, as in keys. */
function parseTime(text: string): Date {
  const parts = /^(\d{4}-\d\d-\d\d)[T_ ](\d\d)[-:](\d\d)[-:](\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)?$/.exec(text);
  const [, day, hour, minute, second, zone = 'Z'] = parts ?? [];
  const time = new Date(`${day}T${hour}:${minute}:${second}${zone}`);
  if (parts && !Number.isNaN(time.getTime())) return time;
  throw new InputError(
    `backup: ${JSON.stringify(text)} is neither latest nor a key nor a time`,
    'Write a time as the key has it, in UTC: 2026-11-21_03-22-59. A key has at least one slash.',
  );
}
