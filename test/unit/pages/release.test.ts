import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, suite, test } from 'node:test';
import { parse } from 'yaml';
import { disagreements, notesOf } from '../../../scripts/release.ts';

const workflow = new URL('../../../.github/workflows/release.yml', import.meta.url);

suite('a release moves the major tag', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'release-'));
    git('init', '--quiet', '--bare', 'origin');
    git('clone', '--quiet', 'origin', 'checkout');
  });
  after(() => rmSync(folder, { recursive: true }));

  const env = { PATH: process.env.PATH, HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1' };
  const inFolder = (cwd: string, argv: readonly string[], more = {}) => {
    const [program = '', ...args] = argv;
    const options = { cwd: join(folder, cwd), env: { ...env, ...more }, stdio: 'pipe', encoding: 'utf8' };
    return execFileSync(program, args, options as { encoding: 'utf8' }).trim();
  };
  const git = (...args: readonly string[]) => inFolder('.', ['git', ...args]);

  /** Tags a new commit, and runs the workflow's own step for the tag. Returns the commit. */
  const release = (tag: string): string => {
    const identity = ['-c', 'user.name=x', '-c', 'user.email=x@example.com'];
    git('-C', 'checkout', ...identity, 'commit', '--quiet', '--allow-empty', '-m', tag);
    git('-C', 'checkout', 'tag', tag);
    git('-C', 'checkout', 'push', '--quiet', 'origin', tag);
    const commit = git('-C', 'checkout', 'rev-parse', 'HEAD');
    inFolder('checkout', ['bash', '-e', '-c', stepNamed('Move the major tag')], {
      GITHUB_REF_NAME: tag,
      GITHUB_SHA: commit,
    });
    return commit;
  };

  for (const [tag, major] of [
    ['v0.1.0', 'v0'],
    ['v0.2.0', 'v0'],
    ['v1.0.0', 'v1'],
    ['v1.10.3', 'v1'],
    ['v12.0.0', 'v12'],
  ] as const) {
    test(`${tag} → ${major}`, () => {
      assert.equal(release(tag), git('-C', 'origin', 'rev-parse', major));
    });
  }

  test('but not back: v1.9.1 after v1.10.3, whatever else is tagged', () => {
    const then = git('-C', 'origin', 'rev-parse', 'v1');
    git('-C', 'checkout', 'tag', 'v1.11.0-rc1');
    git('-C', 'checkout', 'push', '--quiet', 'origin', 'v1.11.0-rc1');
    assert.notEqual(release('v1.9.1'), then);
    assert.equal(git('-C', 'origin', 'rev-parse', 'v1'), then);
    assert.equal(release('v1.11.0'), git('-C', 'origin', 'rev-parse', 'v1'));
  });

  test('and npm’s latest is the newest of all: a correction of an older one gets a tag of its own', () => {
    // The rest of the step is npm's.
    const tagFor = (tag: string) => {
      const script = stepNamed('Publish').replace(/^npm publish .* --tag /m, 'echo ');
      return inFolder('checkout', ['bash', '-e', '-c', script], { GITHUB_REF_NAME: tag });
    };
    assert.equal(tagFor('v12.0.0'), 'latest');
    assert.equal(tagFor('v1.9.1'), 'release-v1');
  });
});

describe('the notes of a release', () => {
  const changelog =
    '# Changelog\n\nIntroduction.\n\n## 1.2.3 (2026-12-01)\n\n- Two.\n\n## 1.2.2 (unreleased)\n\n- One.\n\n## 1.2.1 (2026-01-01)\n';

  test('are what the changelog says of the version', () => {
    assert.deepEqual(notesOf(changelog, '1.2.3'), { date: '2026-12-01', notes: '- Two.' });
    assert.deepEqual(notesOf(changelog, '1.2.2'), { date: 'unreleased', notes: '- One.' });
  });

  for (const missing of ['1.2.1', '1.2', '2.0.0'])
    test(`are not there for ${missing}`, () =>
      assert.throws(() => notesOf(changelog, missing), /says nothing/));
});

describe('a release', () => {
  test('is not made of a project that nobody has adopted, but for a dry run', () => {
    const versions = { 'package.json': '1.2.3' };
    assert.match(disagreements(versions, 'v1.2.3', '2026-12-01', false).join(), /npm run adopt/);
    assert.deepEqual(disagreements(versions, undefined, 'unreleased', false), []);
  });

  const same = { 'package.json': '1.2.3', 'package-lock.json': '1.2.3', 'src/util/version.ts': '1.2.3' };
  const cases = [
    [same, 'v1.2.3', '2026-12-01', []],
    [same, undefined, 'unreleased', []],
    [same, 'v1.2.3', 'unreleased', [/CHANGELOG\.md has unreleased/]],
    [same, 'v1.2.4', '2026-12-01', [/The tag v1\.2\.4 is not v1\.2\.3/]],
    [
      { ...same, 'package-lock.json': '1.2.2' },
      undefined,
      'unreleased',
      [/package-lock\.json has the version 1\.2\.2/],
    ],
    [{ ...same, 'src/util/version.ts': '1.2.4' }, 'v1.2.3', '2026-12-01', [/src\/util\/version\.ts has/]],
  ] as const;
  for (const [versions, tag, date, expected] of cases) {
    test(`${JSON.stringify({ ...versions, tag, date })}: ${expected.length === 0 ? 'agrees' : 'is refused'}`, () => {
      const problems = disagreements(versions, tag, date, true);
      assert.equal(problems.length, expected.length, problems.join());
      for (const [at, pattern] of expected.entries()) assert.match(problems[at] ?? '', pattern);
    });
  }
});

function stepNamed(wanted: string): string {
  const { jobs } = parse(readFileSync(workflow, 'utf8')) as {
    jobs: Record<string, { steps: { name?: string; run?: string }[] }>;
  };
  const step = Object.values(jobs)
    .flatMap(({ steps }) => steps)
    .find(({ name }) => name === wanted);
  assert.ok(step?.run, `there is no step ${wanted}`);
  return step.run;
}
