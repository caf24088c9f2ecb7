import { formatNames } from '../util/format.ts';
import type { RestoreSource } from './open.ts';

/** Number of rows of each table when the backup was made; empty where it does not say. */
export const countsOf = ({ receipt, description }: RestoreSource): Readonly<Record<string, number>> =>
  receipt?.counts ?? description?.counts ?? {};

/** Sentences, one for each table that has another number of rows than it had: `res_users has 4 rows instead of 5`. */
export function countDifferences(
  expected: Readonly<Record<string, number>>,
  found: Readonly<Record<string, number>>,
): string[] {
  return Object.entries(expected)
    .filter(([table, rows]) => found[table] !== rows)
    .map(([table, rows]) => `${table} has ${found[table] ?? 'no'} rows instead of ${rows}`);
}

/** Files that a backup lacks without having said so. Empty where it says nothing of its files. */
export function notKnownToLack({ description }: RestoreSource, files: readonly string[]): string[] {
  const report = description?.filestore;
  if (!report) return [];
  const known = new Set([...report.missing, ...report.lost]);
  return files.filter((name) => !known.has(name));
}

/** The first few of a list. */
export const some = (names: readonly string[]): string => formatNames(names, 3);
