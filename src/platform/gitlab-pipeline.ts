import { stringify } from 'yaml';
import { variableOf } from './variables.ts';

/**
 * A child pipeline with one job for each entry of a matrix, all of them `extends: .odoo-backup`: that one is in another
 * file of the same `trigger:include`, and says what they have of the repository: the inventory is in it.
 *
 * https://docs.gitlab.com/ci/pipelines/downstream_pipelines/#dynamic-child-pipelines
 *
 * @param matrix `{"include": [{"host": "shop1", "database": "shop"}]}`
 */
export function childPipeline(matrix: string): string {
  const { include } = JSON.parse(matrix) as { include: readonly Readonly<Record<string, string>>[] };
  const jobs = include.map(({ host = '', database = '', environment = '' }) => [
    `odoo ${host} ${database}`.trimEnd(),
    {
      extends: '.odoo-backup',
      variables: variables({ host, database, environment }),
    },
  ]);
  return stringify(Object.fromEntries(jobs), { lineWidth: 0 });
}

/** GitLab would expand a `$` in a value. */
function variables(inputs: Readonly<Record<string, string>>): object {
  const given = Object.entries(inputs).filter(([, value]) => value !== '');
  return Object.fromEntries(
    given.map(([name, value]) => [variableOf(name), value.includes('$') ? { value, expand: false } : value]),
  );
}
