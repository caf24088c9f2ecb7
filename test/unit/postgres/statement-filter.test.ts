import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type StatementRights, statementFilter } from '../../../src/postgres/statement-filter.ts';
import { PgVersion } from '../../../src/postgres/version.ts';

const all: StatementRights = {
  superuser: true,
  schemas: [],
  keepOwnership: true,
  version: new PgVersion(170_000, '17.0'),
};

const owners = [
  'ALTER TABLE public.res_users OWNER TO odoo;',
  'ALTER TABLE public."odd ""; name" OWNER TO "o.d;o""o";',
  "ALTER FUNCTION public.f(a integer, b text DEFAULT 'x'::text) OWNER TO odoo;",
  'ALTER SCHEMA extra OWNER TO odoo;',
];
const privileges = [
  'GRANT SELECT ON TABLE public.res_users TO reader;',
  'REVOKE ALL ON SCHEMA public FROM PUBLIC;',
  'ALTER DEFAULT PRIVILEGES FOR ROLE odoo IN SCHEMA public GRANT SELECT ON TABLES  TO reader;',
  "SET SESSION AUTHORIZATION 'odoo';",
];
const forOwners = [
  "COMMENT ON EXTENSION unaccent IS 'text search dictionary';",
  "COMMENT ON SCHEMA public IS 'ours';",
  `COMMENT ON SCHEMA "public" IS 'ours';`,
  'CREATE SCHEMA public;',
  'ALTER SCHEMA public OWNER TO odoo;',
];
const schemas = ['CREATE SCHEMA extra;', 'CREATE SCHEMA "My ""own""";', 'ALTER SCHEMA extra OWNER TO admin;'];
const timeout = ['SET transaction_timeout = 0;'];
const kept = [
  'SET statement_timeout = 0;',
  'CREATE SCHEMA extra2;',
  'CREATE SCHEMA public_too;',
  "COMMENT ON SCHEMA extra IS 'extra';",
  "COMMENT ON TABLE public.t IS 'COMMENT ON EXTENSION';",
  "ALTER TABLE public.t ALTER COLUMN c SET DEFAULT ' OWNER TO odoo';",
  'ALTER TABLE ONLY public.t ADD CONSTRAINT c PRIMARY KEY (id);',
  'CREATE EXTENSION IF NOT EXISTS unaccent WITH SCHEMA public;',
  'CREATE TABLE public.grant (id integer);',
  'SELECT 1;',
];
const everything = [...new Set([...owners, ...privileges, ...forOwners, ...schemas, ...timeout, ...kept])];

suite('of a plain dump', () => {
  const cases: [title: string, rights: Partial<StatementRights>, leftOut: string[], told: string[]][] = [
    ['a superuser who keeps the owners runs all', {}, [], []],
    [
      'owners and privileges are left out unless they are kept',
      { keepOwnership: false },
      [...owners, ...privileges, 'ALTER SCHEMA public OWNER TO odoo;', 'ALTER SCHEMA extra OWNER TO admin;'],
      [],
    ],
    ['another role lacks what takes an owner', { superuser: false }, forOwners, forOwners],
    [
      'schemas that are there are not made again',
      { schemas: ['extra', 'My "own"'] },
      [...schemas, 'ALTER SCHEMA extra OWNER TO odoo;'],
      [...schemas, 'ALTER SCHEMA extra OWNER TO odoo;'],
    ],
    [
      'an older server is spared what it does not know',
      { version: new PgVersion(160_004, '16.4') },
      timeout,
      [],
    ],
  ];
  for (const [title, rights, leftOut, told] of cases) {
    test(title, () => {
      const heard: string[] = [];
      const leavesOut = statementFilter({ ...all, ...rights }, (statement) => heard.push(statement));
      assert.deepEqual(everything.filter(leavesOut).sort(), [...leftOut].sort());
      assert.deepEqual(heard.sort(), [...told].sort());
    });
  }
});

suite('privileges on what belongs to an extension', () => {
  const members = [
    { entry: 'public TABLE spatial_ref_sys', object: 'TABLE public.spatial_ref_sys' },
    { entry: 'public FUNCTION "TO"(a text)', object: 'FUNCTION public."TO"(a text)' },
  ];
  const ofExtensions = [
    'GRANT SELECT ON TABLE public.spatial_ref_sys TO reader;',
    'GRANT SELECT(srid),REFERENCES ON TABLE public.spatial_ref_sys TO reader WITH GRANT OPTION;',
    'REVOKE ALL ON FUNCTION public."TO"(a text) FROM PUBLIC;',
  ];
  const others = [
    'GRANT SELECT ON TABLE public.spatial_ref_sys_own TO reader;',
    'GRANT USAGE ON SCHEMA public TO reader;',
    'REVOKE ALL ON FUNCTION public."TO"(a integer) FROM PUBLIC;',
  ];
  for (const [who, superuser, expected] of [
    ['are left out, which only its owner may give', false, ofExtensions],
    ['are loaded by a superuser', true, []],
  ] as const) {
    test(who, () => {
      const told: string[] = [];
      const leavesOut = statementFilter({ ...all, superuser, members }, (statement) => told.push(statement));
      assert.deepEqual([...ofExtensions, ...others].filter(leavesOut), expected);
      assert.deepEqual(told, expected);
    });
  }
});
