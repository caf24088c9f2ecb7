import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { expandDataDir } from '../../../src/odoo/data-dir.ts';

const homes = new Map([
  ['odoo', '/var/lib/odoo'],
  ['deploy', '/home/deploy'],
]);

suite('data_dir, as Odoo expands it', () => {
  for (const [value, ...folders] of [
    ['/srv/odoo', '/srv/odoo'],
    ['/srv//odoo/./x/../', '/srv/odoo'],
    ['~', '/var/lib/odoo', '/home/deploy'],
    ['~/x', '/var/lib/odoo/x', '/home/deploy/x'],
    ['$HOME/x', '/var/lib/odoo/x', '/home/deploy/x'],
    [`$\{HOME}/x`, '/var/lib/odoo/x', '/home/deploy/x'],
    ['/srv/$USER', '/srv/odoo', '/srv/deploy'],
    [`/srv/$\{LOGNAME}s`, '/srv/odoos', '/srv/deploys'],
    ['~deploy/x', '/home/deploy/x'],
    ['/srv/$UNKNOWN/a$', '/srv/$UNKNOWN/a$'],
    ['/srv/~/x', '/srv/~/x'],
    ['~nobody/x'],
    ['data'],
    ['./data'],
    ['$UNKNOWN/x'],
    ['/', '/'],
  ] as const) {
    test(value, () => assert.deepEqual(expandDataDir(value, homes), folders));
  }

  test('no home is known', () => {
    assert.deepEqual(expandDataDir('/srv', new Map()), ['/srv']);
    assert.deepEqual(expandDataDir('~/srv', new Map()), []);
  });
});
