export type Period = 'daily' | 'weekly' | 'monthly' | 'yearly';

/** The periods that a moment belongs to: `2026-11-21`, `2026-W47`, `2026-11`, `2026`. */
export type Calendar = (timeMs: number) => Readonly<Record<Period, string>>;

/** @throws RangeError for a time zone that there is not */
export function calendarIn(timezone: string): Calendar {
  const format = new Intl.DateTimeFormat('en-u-ca-iso8601', {
    timeZone: timezone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  });
  return (timeMs) => {
    const parts = Object.fromEntries(format.formatToParts(timeMs).map(({ type, value }) => [type, value]));
    const { year = '', month = '', day = '' } = parts;
    return {
      daily: `${year}-${month}-${day}`,
      weekly: isoWeek(Number(year), Number(month), Number(day)),
      monthly: `${year}-${month}`,
      yearly: year,
    };
  };
}

const DAY_MS = 24 * 3_600_000;

/** A week belongs to the year that its Thursday is in (ISO 8601). */
function isoWeek(year: number, month: number, day: number): string {
  const date = new Date(Date.UTC(year, month - 1, day));
  const thursday = new Date(date.getTime() + (4 - (date.getUTCDay() || 7)) * DAY_MS);
  const firstDay = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  const week = 1 + Math.floor((thursday.getTime() - firstDay) / (7 * DAY_MS));
  return `${thursday.getUTCFullYear()}-W${String(week).padStart(2, '0')}`;
}

/** Monday of an ISO week, as `2026-11-16`. */
export function mondayOf(week: string): string {
  const [year = 0, number = 0] = week.split('-W').map(Number);
  const fourth = new Date(Date.UTC(year, 0, 4)); // is always in week 1
  const monday = fourth.getTime() + ((number - 1) * 7 - ((fourth.getUTCDay() || 7) - 1)) * DAY_MS;
  return new Date(monday).toISOString().slice(0, 10);
}
