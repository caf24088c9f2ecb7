import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Home, homeOf, readHome } from '../../scripts/repository.ts';
import { copyProject, type ProjectCopy } from '../support/project-copy.ts';

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
