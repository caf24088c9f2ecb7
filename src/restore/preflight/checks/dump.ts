import {
  assertHoldsRows,
  NOTHING_UNLOADABLE,
  tocProblems,
  type Unloadable,
  unloadable,
} from '../../toc-checks.ts';
import { type Check, problemsOf } from '../check.ts';
import type { PreflightFacts } from '../facts.ts';

export const holdsRows: Check = ({ loading, source }) =>
  loading ? { problems: problemsOf(() => assertHoldsRows(loading.toc, source.uri)) } : {};

/** A copy is made without what only a superuser may make; a rollback has to bring back everything. */
export const isLoadable: Check = (facts) => {
  const { loading, request } = facts;
  if (!loading) return {};
  const found = unloadableOf(facts);
  if (request.inPlace) return { problems: tocProblems(found, loading.rights) };
  if (found.superusers.length === 0) return {};
  return {
    warnings: [
      `The copy goes without what only a superuser may make: ${found.superusers.join(', ')}. An admin can make it there`,
    ],
  };
};

type LoadFacts = Pick<PreflightFacts, 'loading' | 'extensions' | 'request'>;

/** What a restore leaves out of its dump. */
export const withoutObjects = (facts: LoadFacts): Unloadable =>
  facts.request.inPlace ? NOTHING_UNLOADABLE : unloadableOf(facts);

function unloadableOf({ loading, extensions, request }: LoadFacts): Unloadable {
  if (!loading) return NOTHING_UNLOADABLE;
  return unloadable(loading.toc, loading.rights, request.inPlace, extensions);
}
