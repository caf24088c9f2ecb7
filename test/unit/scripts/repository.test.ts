import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { atHome, type Home, isRepositoryName } from '../../../scripts/repository.ts';

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
