import { NO_CODE, shortCommit, shortImage } from '../odoo/code/code.ts';
import {
  type Block,
  type Card,
  type Column,
  code,
  type Summary,
  type Table,
  type Text,
} from '../report/summary.ts';
import { formatAge, formatBytes, formatCounted, formatDuration, formatNames } from '../util/format.ts';
import { growthCharts, nightsOf } from './charts.ts';
import type { Entry } from './entries.ts';
import { pinOf, recoverySeconds, restoreSeconds } from './proofs.ts';
import { timeOf, type Verdict } from './retention.ts';
import { conditionWords, keyTime, sealedShort, verdictWords } from './words.ts';

/** The rows that all tables of a run may have: a job summary may have 1 MiB. */
export const ROWS = 500;

type Verdicts = readonly Verdict<Entry>[];

/** What a list shows besides its backups. */
interface ListDetails {
  readonly notes?: readonly string[];
  /** Rows of the table. */
  readonly most?: number;
}

/** The backups of one database, and what retention would do to each. */
export function listSummary(
  database: string,
  verdicts: Verdicts,
  now: Date,
  { notes = [], most }: ListDetails = {},
): Summary {
  const entries = verdicts.map(({ entry }) => entry);
  return {
    ...headOf(database, entries),
    blocks: [
      ...picturesOf(entries, now),
      ...entriesTable(verdicts, now, most),
      ...notes.map((text): Block => ({ kind: 'note', text })),
    ],
  };
}

function headOf(database: string, entries: readonly Entry[]): Pick<Summary, 'outcome' | 'title'> {
  const verified = entries.filter(({ condition }) => condition.kind === 'verified');
  const failed = entries.filter(({ condition }) => condition.kind === 'failed').length;
  return {
    outcome: verified.length === 0 || failed > 0 ? 'flawed' : 'done',
    title: [
      `${database}: ${formatCounted(verified.length, 'verified backup')}`,
      ...(failed > 0 ? [`${failed} failed`] : []),
    ].join(', '),
  };
}

function picturesOf(entries: readonly Entry[], now: Date): Block[] {
  const verified = entries.filter(({ condition }) => condition.kind === 'verified');
  return [
    { kind: 'facts', rows: [...newestRow(verified, now), ['Size', formatBytes(sizeOf(entries))]] },
    ...nightsBlock(entries, now),
    ...growthCharts(entries, now),
  ];
}

/** The backups of one database, as they are. @param most rows of the table */
export function inventorySummary(
  database: string,
  entries: readonly Entry[],
  now: Date,
  most: number,
): Summary {
  const table = entriesTable(
    entries.map((entry) => ({ entry })),
    now,
    most,
  );
  return { ...headOf(database, entries), blocks: [...picturesOf(entries, now), ...table] };
}

/** What a prune has done, or would do. */
export function pruneSummary(
  database: string,
  verdicts: Verdicts,
  run: { readonly dryRun: boolean; readonly notes: readonly string[] },
  now: Date,
): Summary {
  const deleted = verdicts.filter(({ keep }) => !keep).map(({ entry }) => entry);
  const kept = verdicts.length - deleted.length;
  const title = run.dryRun
    ? `${database}: ${kept} would stay, ${deleted.length} would be deleted; nothing was changed`
    : `${database}: ${kept} kept, ${deleted.length} deleted`;
  return {
    outcome: 'done',
    title,
    blocks: [
      { kind: 'facts', rows: [[run.dryRun ? 'Would free' : 'Freed', formatBytes(sizeOf(deleted))]] },
      ...entriesTable(verdicts, now),
      ...run.notes.map((text): Block => ({ kind: 'note', text })),
    ],
  };
}

/** The databases that a summary shows side by side, and the nights of each. */
const CARD_NIGHTS = 30;

/** All databases of a customer, side by side: where there are several, what is missing is seen here first. */
export function databasesOverview(databases: ReadonlyMap<string, readonly Entry[]>, now: Date): Summary {
  const cards = [...databases].map(([name, entries]): Card => {
    const verified = entries.filter(({ condition }) => condition.kind === 'verified');
    const failed = entries.filter(({ condition }) => condition.kind === 'failed').length;
    const [newest] = verified;
    const words = [
      formatCounted(verified.length, 'verified backup'),
      ...(newest ? [`newest ${formatAge(new Date(timeOf(newest)), now)}`] : []),
      formatBytes(sizeOf(entries)),
      ...(failed > 0 ? [`${failed} failed`] : []),
    ].join(', ');
    const outcome = verified.length === 0 || failed > 0 ? 'flawed' : 'done';
    return { name, outcome, words, nights: nightsOf(entries, now, CARD_NIGHTS) };
  });
  const flawed = cards.filter(({ outcome }) => outcome !== 'done').length;
  return {
    outcome: flawed > 0 ? 'flawed' : 'done',
    title: [
      formatCounted(cards.length, 'database'),
      ...(flawed > 0 ? [`${flawed} to be looked at`] : ['each with verified backups']),
    ].join(', '),
    blocks: [{ kind: 'cards', cards }],
  };
}

function nightsBlock(entries: readonly Entry[], now: Date): Block[] {
  const nights = nightsOf(entries, now);
  return nights.length < 2 ? [] : [{ kind: 'nights', title: `Last ${nights.length} nights`, nights }];
}

export const sizeOf = (entries: readonly Entry[]): number =>
  entries.reduce((sum, { archive }) => sum + (archive?.size ?? 0), 0);

function newestRow([newest]: readonly Entry[], now: Date): [string, Text][] {
  if (!newest) return [];
  return [['Newest', [code(newest.key), `, ${formatAge(new Date(timeOf(newest)), now)}`]]];
}

/** An entry, with what retention makes of it where that was asked. */
type EntryRow = Verdict<Entry> | { readonly entry: Entry };

function entriesTable(verdicts: readonly EntryRow[], now: Date, most = ROWS): Block[] {
  const isDecided = verdicts.some((verdict) => 'keep' in verdict);
  const isSigned = verdicts.some(({ entry }) => entry.authorship?.kind === 'signed');
  // What retention decides says it as well.
  const isPinned = !isDecided && verdicts.some(({ entry }) => reasonOfPin(entry) !== '');
  const hasCode = verdicts.some(({ entry }) => codeOf(entry) !== '');
  const isSealed = verdicts.some(({ entry }) => entry.receipt?.sealed);
  const rows = verdicts.slice(0, most).map((verdict) => {
    const { entry } = verdict;
    const { receipt, archive } = entry;
    const seconds = receipt && (recoverySeconds(receipt) ?? restoreSeconds(receipt));
    return [
      code(keyTime(entry)),
      formatAge(new Date(timeOf(entry)), now),
      archive ? formatBytes(archive.size) : '',
      conditionWords(entry),
      ...(isSigned ? [signedBy(entry)] : []),
      ...(isSealed ? [receipt ? sealedShort(receipt) : ''] : []),
      receipt?.odoo?.version ?? '',
      seconds === undefined ? '' : formatDuration(seconds * 1000),
      receipt?.run.commit ? code(receipt.run.commit.slice(0, 8)) : '',
      ...(hasCode ? [codeOf(entry)] : []),
      ...(isPinned ? [reasonOfPin(entry)] : []),
      ...('keep' in verdict ? [verdictWords(verdict)] : []),
    ];
  });
  const columns = [
    { name: 'Backup (UTC)' },
    { name: 'Age', align: 'right' },
    { name: 'Size', align: 'right' },
    { name: 'Verified' },
    ...(isSigned ? [{ name: 'Signed' }] : []),
    ...(isSealed ? [{ name: 'Sealed for' }] : []),
    { name: 'Odoo' },
    { name: 'Restore', align: 'right' },
    { name: 'Commit' },
    ...(hasCode ? [{ name: 'Code' }] : []),
    ...(isPinned ? [{ name: 'Pinned' }] : []),
    ...(isDecided ? [{ name: 'Retention' }] : []),
  ] as const;
  const rest = verdicts.length - rows.length;
  return [
    { kind: 'table', name: 'Backups', ...filled(columns, rows) },
    ...(rest > 0 ? [{ kind: 'note', text: `And ${formatCounted(rest, 'older one')}.` } as const] : []),
  ];
}

/** Why no rule deletes it; empty: nobody has pinned it. */
const reasonOfPin = ({ receipt }: Entry): string => (receipt && pinOf(receipt)) ?? '';

/** Commits and images in short, as far as they are told from those of other backups. */
function codeOf({ receipt }: Entry): string {
  const { checkouts, images, packages } = receipt?.code ?? NO_CODE;
  const parts = [
    ...checkouts.map(({ commit, dirty }) => `${shortCommit(commit)}${dirty ? '*' : ''}`),
    ...images.map(({ id }) => shortImage(id)),
    ...Object.values(packages),
  ];
  return formatNames(parts, 3);
}

/** The columns that have something in a row. */
function filled(
  columns: readonly Column[],
  rows: readonly (readonly Text[])[],
): Pick<Table, 'columns' | 'rows'> {
  const kept = columns.map((_, at) => rows.length === 0 || rows.some((row) => row[at] !== ''));
  return {
    columns: columns.filter((_, at) => kept[at]),
    rows: rows.map((row) => row.filter((_, at) => kept[at])),
  };
}

/** The names of a trusted signer, else the beginning of the fingerprint of the key, of which there are few. */
function signedBy({ authorship }: Entry): string {
  if (authorship?.kind !== 'signed') return '';
  return authorship.principals ?? `${authorship.fingerprint.replace(/^SHA256:/, '').slice(0, 8)}…`;
}
