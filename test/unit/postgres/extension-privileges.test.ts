import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { ExtensionPrivilege, MemberObject } from '../../../src/postgres/extensions/privileges.ts';
import { type PrivilegeRules, privilegeChanges } from '../../../src/postgres/extensions/privileges.ts';

const systems = 'TABLE public.spatial_ref_sys';
const read: ExtensionPrivilege = {
  object: systems,
  column: null,
  privilege: 'SELECT',
  role: 'reader',
  grantable: false,
  granted: true,
};
const objects: readonly MemberObject[] = [{ object: systems, owner: 'admin', everybodys: ['USAGE'] }];
/** As if an admin had given everything that is wanted. */
const rules = (given: readonly ExtensionPrivilege[] = []): PrivilegeRules => ({ owner: 'odoo', given });

suite('privileges on the objects of extensions', () => {
  for (const [title, wanted, found, expected] of [
    ['as they were take nothing', [read], [read], []],
    ['are given back', [read], [], [`GRANT SELECT ON ${systems} TO "reader"`]],
    [
      'that the backup does not have are taken away',
      [],
      [read],
      [`REVOKE SELECT ON ${systems} FROM "reader"`],
    ],
    [
      'that were taken away are taken away',
      [{ ...read, role: null, granted: false }],
      [],
      [`REVOKE SELECT ON ${systems} FROM PUBLIC`],
    ],
    [
      'that were never taken away are given back',
      [],
      [{ ...read, role: null, granted: false }],
      [`GRANT SELECT ON ${systems} TO PUBLIC`],
    ],
    [
      'may be of a column, and be handed on',
      [{ ...read, column: 'odd "name', grantable: true }],
      [],
      [`GRANT SELECT ("odd ""name") ON ${systems} TO "reader" WITH GRANT OPTION`],
    ],
    [
      'may be handed on no longer',
      [read],
      [{ ...read, grantable: true }],
      [`REVOKE SELECT ON ${systems} FROM "reader"`, `GRANT SELECT ON ${systems} TO "reader"`],
    ],
    ['are none of an owner', [{ ...read, role: 'admin' }], [], []],
    ['of odd roles are quoted', [{ ...read, role: 'a"b' }], [], [`GRANT SELECT ON ${systems} TO "a""b"`]],
  ] as const) {
    test(title, () => {
      const { possible, impossible } = privilegeChanges(wanted, found, objects, rules(wanted));
      assert.deepEqual(
        possible.map(({ text }) => text),
        expected,
      );
      assert.deepEqual(impossible, []);
    });
  }

  for (const [title, wanted] of [
    ['on what is not there', { ...read, object: 'TABLE public.t TO odoo; DROP DATABASE prod; --' }],
    ['that are none', { ...read, privilege: 'SELECT ON pg_authid TO odoo; --' }],
  ] as const) {
    test(`${title} are told, and get into no statement`, () => {
      const { possible, impossible } = privilegeChanges([wanted], [], objects, rules());
      assert.deepEqual(possible, []);
      assert.equal(impossible.length, 1);
    });
  }

  const call = { ...read, object: 'ROUTINE public.f(text)', privilege: 'EXECUTE' };
  const objectOf = (object: string, everybodys: readonly string[] = []): MemberObject => ({
    object,
    owner: 'admin',
    everybodys,
  });
  for (const [title, wanted, object, given, allowed] of [
    ['rows of a table, to the owner', { ...read, role: 'odoo' }, objectOf(systems), [], true],
    ['rows of a table, to another', read, objectOf(systems), [], false],
    ['rows of a table, to everybody', { ...read, role: null }, objectOf(systems), [], false],
    ['rows of a table, to another who has them today', read, objectOf(systems), [read], true],
    ['TRIGGER', { ...read, role: 'odoo', privilege: 'TRIGGER' }, objectOf(systems), [], false],
    ['REFERENCES', { ...read, role: 'odoo', privilege: 'REFERENCES' }, objectOf(systems), [], false],
    ['MAINTAIN', { ...read, role: 'odoo', privilege: 'MAINTAIN' }, objectOf(systems), [], false],
    ['a function that is not everybody’s', { ...call, role: 'odoo' }, objectOf(call.object), [], false],
    ['a function that is everybody’s', call, objectOf(call.object, ['EXECUTE']), [], true],
    [
      'the same, to be handed on',
      { ...call, grantable: true },
      objectOf(call.object, ['EXECUTE']),
      [],
      false,
    ],
    [
      'a foreign data wrapper',
      { ...read, role: 'odoo', object: 'FOREIGN DATA WRAPPER file_fdw', privilege: 'USAGE' },
      objectOf('FOREIGN DATA WRAPPER file_fdw'),
      [],
      false,
    ],
    [
      'a language',
      { ...read, role: 'odoo', object: 'LANGUAGE plpython3u', privilege: 'USAGE' },
      objectOf('LANGUAGE plpython3u'),
      [],
      false,
    ],
  ] as const) {
    test(`${title}: ${allowed ? 'is given' : 'is not given because a backup says so'}`, () => {
      const { possible, forbidden } = privilegeChanges([wanted], [], [object], rules(given));
      assert.deepEqual([possible.length, forbidden.length], allowed ? [1, 0] : [0, 1]);
    });
  }
});
