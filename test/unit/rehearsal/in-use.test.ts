import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { namesInUse } from '../../../src/rehearsal/in-use.ts';

suite('a command that names what is in use', () => {
  const conf = { path: '/etc/odoo/odoo.conf', owner: 'odoo', dbNames: [], addonsPath: [] };
  const live = { database: 'shop', installation: { conf } };
  for (const [command, named] of [
    ['odoo -d shop -u all', ['shop']],
    ['odoo -dshop', ['shop']],
    ['odoo --database=shop', ['shop']],
    ["odoo --database 'shop,blog'; true", ['shop']],
    ['PGDATABASE=shop psql', ['shop']],
    ['(psql -d "shop")', ['shop']],
    ['odoo -c /etc/odoo/odoo.conf -d shop', ['shop', '/etc/odoo/odoo.conf']],
    ['ODOO_RC=/etc/odoo/odoo.conf odoo', ['/etc/odoo/odoo.conf']],
    ['odoo -d "$ODOO_REHEARSAL_DATABASE" -u all', []],
    ['odoo -d shop2', []],
    ['cd /srv/shop && odoo -u shop', []],
    ['grep addons /etc/odoo/odoo.conf', []],
    ['odoo -c "$ODOO_REHEARSAL_CONF"', []],
    [undefined, []],
  ] as const) {
    test(`${command}: ${named.join(', ') || 'nothing'}`, () => {
      const problems = namesInUse({ command, start: undefined }, live);
      assert.deepEqual(
        problems.map(({ message }) => /names (.*?), the/.exec(message)?.[1]),
        named,
      );
    });
  }
});
