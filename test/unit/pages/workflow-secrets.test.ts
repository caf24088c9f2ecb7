import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

interface Workflow {
  readonly env?: object;
  readonly jobs: Readonly<Record<string, Job>>;
}

interface Job {
  readonly env?: object;
  readonly steps?: readonly { readonly uses?: string; readonly run?: string }[];
}

const cwd = fileURLToPath(new URL('../../../', import.meta.url));
const paths = globSync(['.github/workflows/*.yml', 'templates/github/*.yml'], { cwd });

for (const path of paths) {
  test(`${path} gives a secret to the step that needs it, and to no other program of the job`, () => {
    const { env, jobs } = parse(readFileSync(`${cwd}/${path}`, 'utf8')) as Workflow;
    assert.doesNotMatch(JSON.stringify(env ?? {}), /secrets\./);
    for (const [name, job] of Object.entries(jobs)) {
      assert.doesNotMatch(JSON.stringify(job.env ?? {}), /secrets\./, name);
      for (const { uses, run } of job.steps ?? []) {
        assert.doesNotMatch(run ?? '', /secrets\./, 'never in a script');
        assert.ok(!uses?.startsWith('./'), 'code of the repository');
      }
    }
  });
}

test('a called workflow gives its static keys to the action alone', () => {
  for (const path of globSync('.github/workflows/odoo-*.yml', { cwd })) {
    const { jobs } = parse(readFileSync(`${cwd}/${path}`, 'utf8')) as Workflow;
    for (const step of Object.values(jobs).flatMap(({ steps = [] }) => steps)) {
      const { env = {} } = step as { env?: Record<string, string> };
      const isOurs = step.uses === '$/.github/actions/odoo-backup';
      const names = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'];
      for (const name of names) {
        assert.equal(env[name], isOurs ? `\${{ secrets.${name} }}` : undefined, path);
      }
    }
  }
});
