import { assertHoldsRows, NOTHING_UNLOADABLE, tocProblems, type Unloadable } from '../../toc-checks.ts';
import { type Check, problemsOf } from '../check.ts';
import type { PreflightFacts } from '../facts.ts';

export const holdsRows: Check = ({ loading, source }) =>
  loading ? { problems: problemsOf(() => assertHoldsRows(loading.toc, source.uri)) } : {};

/** A copy is made without what only a superuser may make; a rollback has to bring back everything. */
export const isLoadable: Check = ({ loading, request }) => {
  if (!loading) return {};
  const found = loading.unloadable;
  if (request.inPlace) return { problems: tocProblems(found, loading.rights) };
  if (found.superusers.length === 0) return {};
  return {
    warnings: [
      `The copy goes without what only a superuser may make: ${found.superusers.join(', ')}. An admin can make it there`,
    ],
  };
};

/** What a restore leaves out of its dump. */
export const withoutObjects = ({
  loading,
  request,
}: Pick<PreflightFacts, 'loading' | 'request'>): Unloadable =>
  request.inPlace ? NOTHING_UNLOADABLE : (loading?.unloadable ?? NOTHING_UNLOADABLE);
