import { calendarIn } from '../catalog/calendar.ts';
import type { RetentionPolicy } from '../catalog/retention.ts';
import { boolean, type Fields, integer, parseDurationMs, Refusal } from './fields.ts';
import { complete } from './installation.ts';

/** Which backups stay, and what becomes of the others. */
export interface RetentionInputs {
  readonly policy: RetentionPolicy;
  readonly deleteVersions: boolean;
  /** The most that may be deleted at once, in percent of all archives. */
  readonly limitPercent: number;
  /** How much less than the ones before it the newest backup may have, in percent. */
  readonly maxShrink: number;
}

const MOST = 100_000;
const WITHIN_MS = [60_000, 36_500 * 24 * 3_600_000] as const;

/** @returns undefined when something is refused */
export function parseRetention(fields: Fields): RetentionInputs | undefined {
  const counts = {
    last: fields.required('keep-last', integer(0, MOST)),
    daily: fields.required('keep-daily', integer(0, MOST)),
    weekly: fields.required('keep-weekly', integer(0, MOST)),
    monthly: fields.required('keep-monthly', integer(0, MOST)),
    yearly: fields.required('keep-yearly', integer(0, MOST)),
  };
  const required = {
    ...counts,
    minimum: fields.required('minimum-keep', integer(1, MOST)),
    timezone: fields.required('timezone', timezone),
  };
  const limitPercent = fields.required('prune-limit', integer(1, 100));
  const maxShrink = fields.required('max-shrink', percent);
  const withinMs = fields.optional('keep-within', (value) => parseDurationMs(value, ...WITHIN_MS));
  const deleteVersions = fields.optional('delete-versions', boolean) ?? false;
  if (Object.values(counts).every((count) => count === 0) && !fields.given('keep-within')) {
    fields.problem(
      'keep-last: with 0, set at least one of keep-daily, keep-weekly, keep-monthly, keep-yearly or keep-within',
    );
  }
  if (!complete(required) || limitPercent === undefined || maxShrink === undefined) return undefined;
  return { policy: { ...required, withinMs }, deleteVersions, limitPercent, maxShrink };
}

/** `30`, or `30%`. */
export const percent = (value: string): number => integer(1, 100)(value.replace(/ ?%$/, ''));

function timezone(value: string): string {
  try {
    calendarIn(value);
    return value;
  } catch {
    throw new Refusal(`'${value}' is not the name of a time zone, such as Europe/Paris`);
  }
}
