import type { Problem } from '../problem.ts';
import type { Check, Judgement } from './check.ts';
import {
  isNoOriginal,
  isOfDatabase,
  isOfNamedDatabase,
  isOfOlderServer,
  isSalvageable,
  isTargetFree,
  isVerified,
} from './checks/backup.ts';
import { runsSameCode } from './checks/code.ts';
import {
  hasLocales,
  hasRoles,
  isLoadedWithoutPower,
  isNotLocked,
  isPrimary,
  isReachedDirectly,
  mayCreateDatabases,
  mayEndSessions,
  mayReplaceSlots,
} from './checks/database.ts';
import { holdsRows, isLoadable, isSkippable, isWhole } from './checks/dump.ts';
import { mayCreateExtensions, mayMarkUnaccent } from './checks/extensions.ts';
import { hasSpace, isFilestoreRestored, mayFilestoreBeRenamed } from './checks/filestore.ts';
import { isNeutralizedByOdoo, mayStopServices } from './checks/services.ts';
import type { PreflightFacts } from './facts.ts';

/** What could not be found out stands in the way as well. */
const isFoundOut: Check = ({ failures }) => ({ problems: failures });

/** All checks, in the order in which they are told. */
export const checks: readonly Check[] = [
  isOfDatabase,
  isOfNamedDatabase,
  isTargetFree,
  isNoOriginal,
  isVerified,
  isOfOlderServer,
  isReachedDirectly,
  isFoundOut,
  isFilestoreRestored,
  mayStopServices,
  isNeutralizedByOdoo,
  runsSameCode,
  isSalvageable,
  holdsRows,
  isWhole,
  isLoadable,
  isSkippable,
  mayReplaceSlots,
  mayFilestoreBeRenamed,
  hasSpace,
  isPrimary,
  mayCreateDatabases,
  hasRoles,
  mayMarkUnaccent,
  mayCreateExtensions,
  hasLocales,
  isNotLocked,
  mayEndSessions,
];

/** Applies every check. A problem that two of them find counts once. */
export function judge(facts: PreflightFacts): Required<Judgement> {
  const judgements = checks.map((check) => check(facts));
  const problems = new Map<string, Problem>();
  for (const each of judgements.flatMap((judgement) => judgement.problems ?? [])) {
    if (!problems.has(each.message)) problems.set(each.message, each);
  }
  // Who loads the dump is certain only where nothing stands in the way.
  if (problems.size === 0) judgements.push(isLoadedWithoutPower(facts));
  return {
    problems: [...problems.values()],
    warnings: judgements.flatMap(({ warnings }) => warnings ?? []),
    passed: judgements.flatMap(({ passed }) => passed ?? []).toSorted(),
  };
}
