import { tocLines } from '../../../postgres/toc-entry.ts';
import { assertHoldsRows, NOTHING_UNLOADABLE, tocProblems, type Unloadable } from '../../toc-checks.ts';
import { judgeParts, tablesInToc } from '../../whole-dump.ts';
import { type Check, problem, problemsOf } from '../check.ts';
import type { PreflightFacts } from '../facts.ts';

export const holdsRows: Check = ({ loading, source }) =>
  loading ? { problems: problemsOf(() => assertHoldsRows(loading.toc, source.uri)) } : {};

/** A dump that others have made may hold a part of a database. Plain SQL is read when it is loaded. */
export const isWhole: Check = ({ loading, source: { description, receipt, uri }, request: { inPlace } }) =>
  loading && !description && !receipt ? judgeParts(tablesInToc(loading.toc), uri, inPlace) : {};

/** A copy is made without what only a superuser may make; a rollback has to bring back everything. */
export const isLoadable: Check = ({ loading, request }) => {
  if (!loading) return {};
  const found = loading.unloadable;
  if (request.inPlace) return { problems: tocProblems(found, loading.rights) };
  if (found.superusers.length === 0) return {};
  return {
    warnings: [
      `The copy is made without objects that only a superuser can create: ${found.superusers.join(', ')}. An admin can create them there`,
    ],
  };
};

/** The rows of these tables stay out, where the dump has a table of contents to say so. */
export const isSkippable: Check = ({ loading, request: { skipTables }, source }) => {
  if (skipTables.length === 0) return {};
  if (source.dump.kind === 'plain') {
    return problem(
      `skip-table-data: ${source.uri} holds plain SQL, out of which no table can be left`,
      'Choose a backup of another format, or delete the rows by after-load.',
    );
  }
  if (!loading) return {}; // why it could not be read is told
  const absent = skipTables.filter((table) => dataLines(loading.toc.list, [table]).length === 0);
  if (absent.length === 0) return {};
  return problem(
    `skip-table-data: the dump has no rows of ${absent.join(', ')}`,
    'Correct the name. A table outside of the schema public is named schema.table.',
  );
};

/** The lines of a table of contents that bring the rows of tables. */
function dataLines(list: string, tables: readonly string[]): string[] {
  const wanted = new Set(
    tables.map((table) => (table.includes('.') ? table : `public.${table}`).replace('.', ' ')),
  );
  return tocLines(list)
    .filter((entry) => entry.kind === 'TABLE DATA' && wanted.has(entry.named))
    .map(({ line }) => line);
}

/** What a restore leaves out of its dump. */
export const withoutObjects = ({
  loading,
  request,
}: Pick<PreflightFacts, 'loading' | 'request'>): Unloadable => {
  if (request.inPlace || !loading) return NOTHING_UNLOADABLE;
  const { unloadable, toc } = loading;
  return { ...unloadable, lines: [...unloadable.lines, ...dataLines(toc.list, request.skipTables)] };
};
