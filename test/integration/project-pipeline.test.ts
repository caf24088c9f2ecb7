import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import { parse } from 'yaml';
import { componentNames } from '../../scripts/components.ts';
import { Pipeline } from '../support/gitlab-pipeline.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const probe = 'test/fixtures/component-probe.js';
const { version } = JSON.parse(read('package.json')) as { version: string };
const configuration = parse(read('.gitlab-ci.yml')) as Record<string, unknown>;
const files = {
  [probe]: read(probe),
  'CHANGELOG.md': read('CHANGELOG.md'),
  'package.json': read('package.json'),
};

suite('the pipeline of the project itself', { timeout: 600_000 }, () => {
  /** It, on a project with what it needs; gitlab-ci-local holds it against GitLab's schema. */
  let pipeline: Pipeline;
  before(async () => {
    pipeline = await Pipeline.open(configuration, {}, files, 'kept');
  });
  after(() => pipeline?.[Symbol.asyncDispose]());

  test('runs every component at its own commit, and the program of that commit', async () => {
    const { exitCode, log } = await pipeline.run();
    assert.equal(exitCode, 0, log);
    for (const command of componentNames) {
      const given = JSON.stringify({ command, ODOO_BACKUP_DATABASE: 'it\'s "shop"' }).slice(0, -1);
      assert.ok(log.includes(` > ${given},`), log);
    }
    assert.match(log, /program-of-the-commit .*s3-bucket: is required/);
    assert.doesNotMatch(log, /^release .*\$ grep/m, 'no release without a tag');
  });

  test('makes a release of a tag that is a bare version, and of no other', async () => {
    const notes = async (tag: string) => {
      const { exitCode, log } = await pipeline.run('release', `--variable=CI_COMMIT_TAG=${tag}`);
      return { exitCode, log };
    };
    const right = await notes(version);
    assert.equal(right.exitCode, 0, right.log);
    const wrong = await notes('99.0.0');
    assert.match(wrong.log, /The tag is not the version in package\.json/);
    assert.notEqual(wrong.exitCode, 0);
  });
});
