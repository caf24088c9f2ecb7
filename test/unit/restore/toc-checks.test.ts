import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { tocProblems, unloadable } from '../../../src/restore/toc-checks.ts';

/** As `pg_restore --list` of PostgreSQL 15 prints them. */
const lines = {
  extension: '2; 3079 16417 EXTENSION - postgres_fdw ',
  cFunction: '223; 1255 16416 FUNCTION public cf() admin',
  sqlFunction: '221; 1255 16389 FUNCTION public f(text) odoo',
  functionComment: '3390; 0 0 COMMENT public FUNCTION cf() admin',
  server: '2061; 1417 16424 SERVER - s admin',
  serverAcl: '3385; 0 0 ACL - FOREIGN SERVER s admin',
  mapping: '3384; 0 0 USER MAPPING - USER MAPPING odoo SERVER s admin',
  foreignTable: '230; 1259 16500 FOREIGN TABLE public remote odoo',
  view: '219; 1259 16427 VIEW public v other role',
  table: '217; 1259 16402 TABLE public c odoo',
  data: '3375; 0 16402 TABLE DATA public spatial_ref_sys other role',
  publication: '3372; 6104 16415 PUBLICATION - p admin',
  harmless: '3373; 6104 16419 PUBLICATION - q odoo',
  defaults: '2062; 826 16426 DEFAULT ACL public DEFAULT PRIVILEGES FOR TABLES other role',
  trigger: '3225; 3466 16414 EVENT TRIGGER - et admin',
  triggerComment: '3391; 0 0 COMMENT - EVENT TRIGGER et admin',
  otherComment: '3392; 0 0 COMMENT - EVENT TRIGGER et2 admin',
  publicSchema: '5; 2615 2200 SCHEMA - public other role',
  madeSchema: '6; 2615 2201 SCHEMA - extra other role',
};
const toc = {
  list: [';', '; Selected TOC Entries:', ...Object.values(lines), ''].join('\n'),
  superusers: new Set([lines.cFunction, lines.publication]),
};
const login = { login: 'odoo', superuser: false, strangers: ['admin', 'other role'] };

suite('what of a dump its loader may not load', () => {
  test('what only a superuser may make, with what is about it', () => {
    const found = unloadable(toc, login, false, [{ schema: 'extra' }]);
    assert.deepEqual(found.superusers, [
      'FUNCTION public.cf()',
      'SERVER s',
      'USER MAPPING odoo SERVER s',
      'PUBLICATION p',
      'EVENT TRIGGER et',
    ]);
    const { cFunction, functionComment, server, serverAcl, mapping, foreignTable } = lines;
    const { publication, trigger, triggerComment } = lines;
    const left = [cFunction, functionComment, server, serverAcl, mapping, foreignTable];
    assert.deepEqual([...found.lines].sort(), [...left, publication, trigger, triggerComment].sort());
    assert.equal(found.owners.size, 0);
  });

  test('what belongs to roles that it is no member of, where owners are kept', () => {
    const found = unloadable(toc, login, true, [{ schema: 'extra' }]);
    assert.deepEqual([...found.owners], [['other role', 'VIEW public v']]);
    const [special, owned] = tocProblems(found, login);
    assert.match(special?.message ?? '', /loaded as odoo: FUNCTION public\.cf\(\), SERVER s/);
    assert.match(owned?.message ?? '', /the role other role.*no member of it: VIEW public v/);
    assert.match(owned?.hint ?? '', /GRANT "other role" TO "odoo"/);
  });

  test('but for schemas that extensions of that role have made', () => {
    const list = '6; 2615 2201 SCHEMA - tiger_data other role';
    const ownersWith = (...extensions: Parameters<typeof unloadable>[3]) => [
      ...unloadable({ ...toc, list }, login, true, extensions).owners.keys(),
    ];
    assert.deepEqual(ownersWith(), ['other role']);
    assert.deepEqual(ownersWith({ schema: 'tiger', owner: 'admin' }), ['other role']);
    assert.deepEqual(ownersWith({ schema: 'tiger', owner: 'other role' }), []);
    assert.deepEqual(
      ownersWith({ schema: 'tiger' }),
      [],
      'of an older backup, which does not say whose it is',
    );
  });

  test('default privileges of such a role', () => {
    const found = unloadable({ ...toc, list: lines.defaults }, login, true, []);
    assert.deepEqual([...found.owners.values()], ['DEFAULT ACL public DEFAULT PRIVILEGES FOR TABLES']);
  });

  test('nothing, for a superuser', () => {
    const found = unloadable(toc, { ...login, superuser: true }, true, []);
    assert.deepEqual([found.superusers, found.lines, found.owners.size], [[], [], 0]);
  });
});
