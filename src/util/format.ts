const units = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** `1.5 GiB`: binary units with one decimal, plain bytes below 1 KiB. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  let value = bytes;
  let unit = '';
  for (const next of units) {
    // 1023.95 would print as 1024.0: that is 1.0 of the next unit.
    if (Math.round(value * 10) < 10240 && unit !== '') break;
    value /= 1024;
    unit = next;
  }
  return `${value.toFixed(1)} ${unit}`;
}

/** `850 ms`, `12.3 s`, `4 min 05 s`, `2 h 07 min`, `3 d 4 h`. */
export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${twoDigits(seconds % 60)} s`;
  const minutes = Math.round(ms / 60_000);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} min`;
  const hours = Math.round(ms / 3_600_000);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** `90 s`, `2 min`, `1 h 30 min`: a limit that somebody has set, without what is nought. */
export const formatLimit = (ms: number): string =>
  ms < 120_000 && ms % 60_000 !== 0
    ? `${Math.round(ms / 1000)} s`
    : formatDuration(ms).replace(/ 00 (s|min)$/, '');

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

/** `45.3 MiB/s`; of no time at all, nothing can be said: `–`. */
export function formatRate(bytes: number, ms: number): string {
  return ms > 0 ? `${formatBytes(Math.round((bytes * 1000) / ms))}/s` : '–';
}

/** `70,000`. Whole numbers do without Intl, which takes 6 ms to load. */
export function formatCount(count: number): string {
  if (!Number.isSafeInteger(count)) return count.toLocaleString('en-US');
  return String(count).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 file`, `70,000 files`. */
export function formatCounted(count: number, one: string, several = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : several}`;
}

/** `5 minutes ago`: in the largest unit of which there is one at least. */
export function formatAge(then: Date, now: Date): string {
  const seconds = Math.max(0, Math.floor((now.getTime() - then.getTime()) / 1000));
  const age = ages.find(([least]) => seconds >= least);
  if (age === undefined) return 'just now';
  const [size, name] = age;
  return `${formatCounted(Math.floor(seconds / size), name)} ago`;
}

const ages: readonly [number, string][] = [
  [24 * 3600, 'day'],
  [3600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
];

/** `2026-11-21 03:22:59 UTC` */
export const formatInstant = (time: Date): string =>
  `${time.toISOString().slice(0, 19).replace('T', ' ')} UTC`;

/** `a, b, c and 4 more`: names in the order given. @param most are named */
export function formatNames(names: readonly string[], most: number): string {
  const named = names.slice(0, most).join(', ');
  return names.length <= most ? named : `${named} and ${names.length - most} more`;
}
