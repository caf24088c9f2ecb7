import { exceptionIn } from '../odoo/boot/odoo-log.ts';
import type { Platform } from '../platform/platform.ts';
import { formatCounted } from '../util/format.ts';
import type { OdooPart } from './outcome.ts';

/** Tells that Odoo has warned of nothing, or what it has. */
export function tellLog(part: OdooPart, platform: Pick<Platform, 'info'>): void {
  if (part.warnings + part.errors === 0) platform.info('Nothing in its log is a warning or an error');
  else tellEntries(part, platform);
}

/** Tells what Odoo has warned of, and its errors with what follows them: nothing where there is nothing. */
export function tellEntries({ warnings, errors, entries }: OdooPart, platform: Pick<Platform, 'info'>): void {
  if (warnings + errors === 0) return;
  platform.info(`Its log has ${formatCounted(errors, 'error')} and ${formatCounted(warnings, 'warning')}:`);
  for (const { level, logger, message, trace } of entries) {
    platform.info(`  ${level} ${logger}: ${message}`);
    if (level !== 'WARNING') for (const line of trace) platform.info(`    ${line}`);
  }
}

/** Tells the last lines of a program that has failed. */
export function tellLastWords(lastWords: readonly string[], platform: Pick<Platform, 'info'>): void {
  platform.info(lastWords.length === 0 ? 'It has printed nothing' : 'Its last lines:');
  for (const line of lastWords) platform.info(`  ${line}`);
}

/** The line that mostly says why. Empty: nothing was printed. */
export function because(lastWords: readonly string[]): string {
  const said = exceptionIn(lastWords) ?? lastWords.at(-1);
  return said === undefined ? '' : `: ${said}`;
}
