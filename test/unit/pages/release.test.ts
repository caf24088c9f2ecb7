import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { parse } from 'yaml';
import { version } from '../../../src/util/version.ts';

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

test('the package that is published runs by npx, without any other package', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'package-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const root = new URL('../../../', import.meta.url);
  for (const path of ['package.json', 'action.yml', 'dist', 'templates'])
    cpSync(new URL(path, root), join(folder, path), { recursive: true });
  const env = {
    PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
    HOME: folder,
    npm_config_offline: 'true', // nothing is fetched
    npm_config_update_notifier: 'false',
  };
  const shell = (script: string) =>
    execFileSync('bash', ['-e', '-c', script], {
      cwd: folder,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  shell(stepNamed('Make the package of dist alone'));
  shell('npm pack --ignore-scripts');
  assert.equal(shell('npx --yes --package ./odoo-backup-action-*.tgz odoo-backup --version'), `${version}\n`);
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
