import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { privilegeChanges } from '../../src/host/extension-privileges.ts';
import type { ExtensionPrivilege } from '../../src/host/extension-state.ts';

const systems = 'TABLE public.spatial_ref_sys';
const read: ExtensionPrivilege = {
  object: systems,
  column: null,
  privilege: 'SELECT',
  role: 'reader',
  grantable: false,
  granted: true,
};
const owners = new Map([[systems, 'admin']]);

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
      const { possible, impossible } = privilegeChanges(wanted, found, owners);
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
      const { possible, impossible } = privilegeChanges([wanted], [], owners);
      assert.deepEqual(possible, []);
      assert.equal(impossible.length, 1);
    });
  }
});
