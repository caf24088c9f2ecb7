import { formatNames } from '../util/format.ts';
import type { Entry, ShortReceipt } from './entries.ts';
import { pinOf, recoverySeconds, restoreSeconds } from './proofs.ts';
import { type KeepRule, timeOf, type Verdict } from './retention.ts';
import type { Shrink } from './shrink.ts';
import type { Authorship } from './signatures.ts';

/** What an entry of the catalog is, for people: its level, or what is wrong with it. */
export function conditionWords({ condition }: Entry): string {
  switch (condition.kind) {
    case 'verified':
      return condition.unrestorable === undefined
        ? condition.level
        : `${condition.level}; ${short(condition.unrestorable)}`;
    case 'failed':
      return `failed, ${short(condition.why)}`;
    case 'mismatched':
      return `changed: ${short(condition.why)}`;
    case 'untrusted':
      return `not trusted: ${short(condition.why)}`;
    case 'unreadable':
      return 'receipt cannot be read';
    case 'without-receipt':
      return 'archive without receipt';
    case 'without-archive':
      return 'receipt without archive';
  }
}

/** Who has signed a backup: the names of a trusted signer, else the fingerprint of the key; empty where nobody has. */
export function signerWords(authorship: Authorship | undefined): string {
  if (authorship?.kind !== 'signed') return '';
  const { principals, fingerprint } = authorship;
  return principals === undefined ? fingerprint : `${principals} (${fingerprint})`;
}

/** Whom a backup is sealed for: `for age1…, age1…`; empty where it is not sealed. */
export const sealedWords = ({ sealed }: Pick<ShortReceipt, 'sealed'>): string =>
  sealed ? `for ${formatNames(sealed.recipients, MOST_NAMED)}` : '';

const MOST_NAMED = 10;
const SHORT_RECIPIENT = 'age1'.length + 8;

/** The same in a row of a table: the beginnings of recipients, of which there are few. */
export const sealedShort = ({ sealed }: Pick<ShortReceipt, 'sealed'>): string =>
  (sealed?.recipients ?? []).map((name) => `${name.slice(0, SHORT_RECIPIENT)}…`).join(', ');

/** Why the database in a whole archive cannot be restored as it is; empty where no proof says so. */
export const unrestorableWords = ({ condition }: Entry): string =>
  (condition.kind === 'verified' && condition.unrestorable) || '';

const short = (text: string): string => (text.length > 100 ? `${text.slice(0, 99)}…` : text);

/** `keep: newest, last 1, daily`, `delete: no slot`. */
export function verdictWords(verdict: Verdict): string {
  return verdict.keep ? `keep: ${verdict.rules.map(ruleWords).join(', ')}` : `delete: ${verdict.reason}`;
}

function ruleWords(rule: KeepRule): string {
  switch (rule.kind) {
    case 'last':
      return `last ${rule.place}`;
    case 'protected':
      return rule.why;
    case 'younger':
      return 'younger than the newest verified one';
    case 'unverified':
      return 'no backup is verified yet';
    default:
      return rule.kind;
  }
}

/** The time as its key has it, which the input `backup` takes: `2026-11-21_03-22-59`. */
export const keyTime = ({ at }: Entry): string =>
  at.toISOString().slice(0, 19).replace('T', '_').replaceAll(':', '-');

/** Duration of a backup in seconds. */
export const backupSeconds = ({ startedAt, finishedAt }: ShortReceipt): number =>
  (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000;

function signedBy({ authorship }: Entry): { fingerprint: string; principals: string | null } | null {
  if (authorship?.kind !== 'signed') return null;
  return { fingerprint: authorship.fingerprint, principals: authorship.principals ?? null };
}

/** The most that an output `json` lists: an output of GitHub's may have 1 MiB. */
export const LISTED = 1000;

/** The newest entries as JSON, for programs: `LISTED` at most. */
export function entriesJson(
  verdicts: readonly Verdict<Entry>[],
  now: Date,
  most = LISTED,
  shrunk: ReadonlyMap<Entry, readonly Shrink[]> = new Map(),
): object[] {
  return verdicts.slice(0, most).map((verdict) => {
    const { entry } = verdict;
    const { receipt, condition } = entry;
    return {
      database: entry.database,
      key: entry.key,
      time: entry.at.toISOString(),
      ageSeconds: Math.round((now.getTime() - timeOf(entry)) / 1000),
      size: entry.archive?.size ?? null,
      condition: condition.kind,
      ...('why' in condition ? { why: condition.why } : {}),
      signedBy: signedBy(entry),
      sealedFor: receipt?.sealed?.recipients ?? null,
      level: condition.kind === 'verified' ? condition.level : null,
      ...(unrestorableWords(entry) === '' ? {} : { unrestorable: unrestorableWords(entry) }),
      odooVersion: receipt?.odoo?.version ?? null,
      backupSeconds: receipt ? backupSeconds(receipt) : null,
      restoreSeconds: (receipt && restoreSeconds(receipt)) ?? null,
      recoverySeconds: (receipt && recoverySeconds(receipt)) ?? null,
      commit: receipt?.run.commit ?? null,
      run: receipt?.run.url ?? null,
      code: receipt?.code ?? null,
      pinned: (receipt && pinOf(receipt)) ?? null,
      shrunk: shrunk.get(entry) ?? [],
      keep: verdict.keep,
      ...(verdict.keep ? { rules: verdict.rules } : { reason: verdict.reason }),
    };
  });
}
