import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { isSuperusers, superuserObject } from '../../../src/postgres/superuser-objects.ts';

suite('what only a superuser may make', () => {
  for (const [statement, expected] of [
    ['CREATE EVENT TRIGGER et ON ddl_command_end\n   EXECUTE FUNCTION public.evt();', true],
    ["CREATE FUNCTION public.cf() RETURNS integer\n    LANGUAGE c\n    AS '$libdir/x', 'y';", true],
    ['CREATE FUNCTION public.f() RETURNS integer\n    LANGUAGE sql\n    AS $$ SELECT 1 $$;', false],
    ['CREATE FUNCTION public.f() RETURNS integer\n    LANGUAGE plpython3u\n    AS $$ 1 $$;', true],
    ["CREATE PUBLICATION p FOR ALL TABLES WITH (publish = 'insert');", true],
    ["CREATE PUBLICATION p WITH (publish = 'insert');", false],
    ['CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw;', true],
    ['CREATE USER MAPPING FOR odoo SERVER s;', true],
    ['CREATE TYPE public.t AS (a integer);', false],
    ['CREATE TYPE public.t (\n    INTERNALLENGTH = 8,\n    INPUT = public.tin\n);', true],
    ['CREATE TABLE public.server (a integer);', false],
  ] as const) {
    test(`${expected ? 'is' : 'is not'}: ${statement.split('\n', 1)}`, () => {
      assert.equal(isSuperusers(statement), expected);
    });
  }

  test('has a name', () => {
    assert.equal(superuserObject('3225; 3466 16414 EVENT TRIGGER - et admin'), 'EVENT TRIGGER et');
    assert.equal(superuserObject('3372; 6104 16415 PUBLICATION - p admin'), 'PUBLICATION p');
    assert.equal(superuserObject('CREATE EVENT TRIGGER watcher ON ddl_command_end'), 'EVENT TRIGGER watcher');
    assert.equal(superuserObject('217; 1259 16402 TABLE public c odoo'), undefined);
    assert.equal(superuserObject('3375; 0 16402 MATERIALIZED VIEW DATA public mv odoo'), undefined);
  });
});
