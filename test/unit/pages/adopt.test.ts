import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { atHome, type Home, homeOf, isRepositoryName, readHome } from '../../../scripts/repository.ts';
import { copyProject, type ProjectCopy } from '../../support/project-copy.ts';

describe('a copy of the project', { timeout: 300_000 }, () => {
  let copy: string;
  let files: readonly string[];
  let node: ProjectCopy['node'];
  before(() => {
    ({ folder: copy, files, node } = copyProject());
  });
  after(() => rmSync(copy, { recursive: true }));

  const contents = () => new Map(files.map((file) => [file, readFileSync(join(copy, file), 'utf8')]));
  const home = (): Home => homeOf(JSON.parse(readFileSync(join(copy, 'package.json'), 'utf8')));
  const documents = /^(README\.md|(docs|templates)\/.*\.(md|yml))$/;

  test('is adopted once: then everything names its owner, and is checked as before', () => {
    node('scripts/adopt.ts', 'acme/odoo-backups');
    assert.equal(home().repository, 'acme/odoo-backups');
    assert.equal(readFileSync(join(copy, '.github/CODEOWNERS'), 'utf8'), '* @acme\n');
    const { owner, repository } = readHome();
    for (const [file, text] of contents()) {
      if (documents.test(file) || file.startsWith('.github/')) {
        assert.doesNotMatch(text, new RegExp(`\\b${owner}/|@${owner}\\b`), file);
        assert.ok(!text.includes(repository), file);
      }
    }
    const workflow = readFileSync(join(copy, 'templates/github/fleet-deploy.yml'), 'utf8');
    assert.match(workflow, / uses: acme\/odoo-backups\/\.github\/workflows\/odoo-deploy\.yml@v0\n/);
    assert.match(workflow, /uses: actions\/checkout@[0-9a-f]{40} # v/);
    node('scripts/docs.ts', '--check');
    node('scripts/check.ts');
  });

  test('has no difference when it is adopted again', () => {
    const adopted = contents();
    node('scripts/adopt.ts', 'acme/odoo-backups');
    assert.deepEqual(contents(), adopted);
  });

  test('moves to another owner, and to a group of another name at GitLab', () => {
    node('scripts/adopt.ts', 'example/odoo-backup-action', '--gitlab', 'example-group/tools/odoo-backups');
    const { repository, gitlabProject } = home();
    assert.deepEqual(
      { repository, gitlabProject },
      { repository: 'example/odoo-backup-action', gitlabProject: 'example-group/tools/odoo-backups' },
    );
    const readme = readFileSync(join(copy, 'README.md'), 'utf8');
    assert.match(readme, /component: \$CI_SERVER_FQDN\/example-group\/tools\/odoo-backups\/backup@/);
    assert.match(readme, /https:\/\/github\.com\/example\/odoo-backup-action\.git/);
    for (const [file, text] of contents())
      if (documents.test(file)) assert.doesNotMatch(text, /acme\/odoo-backups/);
    node('scripts/docs.ts', '--check');
  });

  test('is not adopted by a name that GitHub does not allow', () => {
    const before = contents();
    assert.throws(() => node('scripts/adopt.ts', 'acme/x;id'), /Usage: npm run adopt/);
    assert.deepEqual(contents(), before);
  });
});

describe('a name of a repository', () => {
  for (const name of ['acme/x', 'acme-2/Odoo_backups.v2', `${'a'.repeat(39)}/x`]) {
    test(name, () => assert.ok(isRepositoryName(name)));
  }
  for (const name of [
    'acme',
    'acme/x/y',
    '-acme/x',
    'acme-/x',
    'OWNER/x',
    'acme/..',
    'acme/x.git',
    'a b/x',
  ]) {
    test(`is not ${name}`, () => assert.ok(!isRepositoryName(name)));
  }
});

describe('a text is at home', () => {
  const home: Home = {
    owner: 'acme',
    repository: 'acme/backups',
    gitlabProject: 'group/sub/backups',
    version: '3.2.1',
  };
  const cases = [
    ['- uses: OWNER/odoo-backup-action@v0', '- uses: acme/backups@v3'],
    ['`OWNER/odoo-backup-action@v0`', '`acme/backups@v3`'],
    [
      'git clone --branch v0 https://github.com/a/b.git',
      'git clone --branch v3 https://github.com/acme/backups.git',
    ],
    [
      'uses: a/b/.github/workflows/odoo-deploy.yml@v12',
      'uses: acme/backups/.github/workflows/odoo-deploy.yml@v3',
    ],
    ['uses: a/b@v1.2.3', undefined],
    [`uses: a/b@${'0'.repeat(40)} # v1`, undefined],
    ['uses: $/.github/actions/odoo-backup', undefined],
    [
      'component: $CI_SERVER_FQDN/a/b/rollback@1.2.3',
      'component: $CI_SERVER_FQDN/group/sub/backups/rollback@3.2.1',
    ],
    ['component: $CI_SERVER_FQDN/components/sast/sast@2.0.0', undefined],
    ['git clone https://github.com/a/b.git', 'git clone https://github.com/acme/backups.git'],
    ['https://github.com/rhysd/actionlint/issues/657', undefined],
  ] as const;
  for (const [text, expected = text] of cases) test(text, () => assert.equal(atHome(text, home), expected));
});
