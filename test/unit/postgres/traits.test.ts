import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { localeClauses } from '../../../src/postgres/create-database.ts';
import { settingStatements } from '../../../src/postgres/database-settings.ts';
import type { Sql } from '../../../src/postgres/sql.ts';
import { privilegeStatements } from '../../../src/postgres/traits.ts';
import { PgVersion } from '../../../src/postgres/version.ts';

const textsOf = (statements: readonly Sql[]): string[] => statements.map(({ text }) => text);

suite('settings', () => {
  for (const [role, setting, statement] of [
    [null, 'work_mem=64MB', `ALTER DATABASE "prod" SET "work_mem" TO E'64MB'`],
    [null, 'search_path="$user", public', `ALTER DATABASE "prod" SET "search_path" TO E'$user', E'public'`],
    [null, 'search_path=a,"b,""c""",  d', `ALTER DATABASE "prod" SET "search_path" TO E'a', E'b,"c"', E'd'`],
    [null, 'search_path=', `ALTER DATABASE "prod" SET "search_path" TO E''`],
    [null, 'search_path=""', `ALTER DATABASE "prod" SET "search_path" TO E''`],
    [null, 'DateStyle=ISO, DMY', `ALTER DATABASE "prod" SET "DateStyle" TO E'ISO, DMY'`],
    ['odoo', 'work_mem=1GB', `ALTER ROLE "staging" IN DATABASE "prod" SET "work_mem" TO E'1GB'`],
    [
      'bi "x"',
      "app.name=a='b\\c",
      `ALTER ROLE "bi ""x""" IN DATABASE "prod" SET "app"."name" TO E'a=''b\\\\c'`,
    ],
  ] as const) {
    test(setting, () =>
      assert.deepEqual(
        textsOf(settingStatements('prod', { owner: 'odoo', settings: [{ role, setting }] }, 'staging')),
        [statement],
      ),
    );
  }
});

suite('privileges', () => {
  const on = 'ON DATABASE "prod__new"';
  for (const [title, privileges, statements] of [
    ['PostgreSQL’s own', [], []],
    [
      'everybody may connect',
      ['=Tc/odoo', 'odoo=CTc/odoo'],
      [
        `REVOKE ALL ${on} FROM PUBLIC`,
        `GRANT TEMPORARY ${on} TO PUBLIC`,
        `GRANT CONNECT ${on} TO PUBLIC`,
        `GRANT CREATE ${on} TO "erp"`,
        `GRANT TEMPORARY ${on} TO "erp"`,
        `GRANT CONNECT ${on} TO "erp"`,
      ],
    ],
    [
      'names with everything in them, and grant options',
      ['"a=b/""c"""=c*/odoo'],
      [`REVOKE ALL ${on} FROM PUBLIC`, `GRANT CONNECT ${on} TO "a=b/""c""" WITH GRANT OPTION`],
    ],
  ] as const) {
    test(title, () =>
      assert.deepEqual(
        textsOf(privilegeStatements('prod__new', { owner: 'odoo', privileges }, 'erp')),
        statements,
      ),
    );
  }
});

suite('locales', () => {
  const libc = { encoding: 'UTF8', collate: 'C', ctype: 'fr_FR.UTF-8', localeProvider: 'libc', locale: null };
  const icu = { ...libc, localeProvider: 'icu', locale: 'fr-FR' };
  const builtin = { ...libc, localeProvider: 'builtin', locale: 'C.UTF-8' };
  const of = (major: number) => new PgVersion(major * 10_000, `${major}.0`);
  const base = "ENCODING E'UTF8' LC_COLLATE E'C' LC_CTYPE E'fr_FR.UTF-8'";
  for (const [traits, version, clauses] of [
    [libc, 14, base],
    [libc, 15, `${base} LOCALE_PROVIDER libc`],
    [icu, 15, `${base} LOCALE_PROVIDER icu ICU_LOCALE E'fr-FR'`],
    [builtin, 17, `${base} LOCALE_PROVIDER builtin BUILTIN_LOCALE E'C.UTF-8'`],
  ] as const) {
    test(`${traits.localeProvider} on ${version}`, () =>
      assert.equal(localeClauses(traits, of(version)).text, clauses));
  }
  test('that a server is too old for', () => {
    assert.throws(
      () => localeClauses(icu, new PgVersion(140_019, '14.19')),
      /which PostgreSQL has from 15 on/,
    );
    assert.throws(() => localeClauses(builtin, of(16)), /which PostgreSQL has from 17 on/);
  });
  for (const localeProvider of ['libc\n\\! id', 'ICU', '', 'constructor']) {
    test(`by a provider that is none: ${JSON.stringify(localeProvider)}`, () =>
      assert.throws(() => localeClauses({ ...libc, localeProvider }, of(17)), {
        message: `The backup’s database sorts by a locale provider that PostgreSQL does not have: ${JSON.stringify(localeProvider)}`,
      }));
  }
});
