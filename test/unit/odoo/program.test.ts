import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { majorIn, programOfUnit } from '../../../src/odoo/program.ts';

suite('the program of Odoo', () => {
  for (const [said, major] of [
    ['Odoo Server 19.0\n', 19],
    ['Odoo Server 14.0-20231205', 14],
    ['Odoo Server 17.0+e-20240101', 17],
    ['Odoo Server saas~18.2+e', 18],
    ['Odoo Server saas-17.4', 17],
    ['OpenERP Server 7.0-20140101', 7],
    ['some warning\nOdoo Server 16.0', 16],
    ['Python 3.11', undefined],
    ['', undefined],
  ] as const) {
    test(`${JSON.stringify(said)} is version ${major}`, () => assert.equal(majorIn(said), major));
  }

  for (const [words, argv] of [
    ['/usr/bin/odoo --config /etc/odoo/odoo.conf', ['/usr/bin/odoo']],
    ['/opt/venv/bin/python /opt/odoo/odoo-bin -c x', ['/opt/venv/bin/python', '/opt/odoo/odoo-bin']],
    ['/usr/bin/python2 /opt/odoo/openerp-server -c x', ['/usr/bin/python2', '/opt/odoo/openerp-server']],
    ['/opt/odoo8/odoo.py -c x', ['/opt/odoo8/odoo.py']],
    ['/usr/sbin/nginx -g x', undefined],
  ] as const) {
    test(`of a unit that starts ${words}`, () => {
      const [path] = words.split(' ');
      assert.deepEqual(programOfUnit(`{ path=${path} ; argv[]=${words} ; ignore_errors=no ; }`), argv);
    });
  }
});
