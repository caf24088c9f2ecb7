import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PgVersion } from '../../../../src/postgres/version.ts';
import type { PreflightFacts } from '../../../../src/restore/preflight/facts.ts';
import { judge } from '../../../../src/restore/preflight/judge.ts';
import { type LoaderRights, unloadable } from '../../../../src/restore/toc-checks.ts';

export const version = new PgVersion(150_018, '15.18');
export const plpgsql = { name: 'plpgsql', version: '1.0', schema: 'pg_catalog' };
export const unaccent = { name: 'unaccent', version: '1.1', schema: 'public', owner: 'odoo' };
export const traits = {
  encoding: 'UTF8',
  collate: 'C',
  ctype: 'en_US.UTF-8',
  localeProvider: 'libc',
  locale: null,
  settings: [],
};
export const source: PreflightFacts['source'] = {
  uri: 's3://backups/acme/backups/shop_2026-11-21_03-04-05.zip',
  database: 'shop',
  odooVersion: '17.0',
  isSealed: false,
  receipt: { postgres: { server: '15.18' } },
  description: { postgres: { server: '15.18', owner: 'odoo' }, roles: [] },
  dump: { kind: 'custom' },
  filestore: new Map(),
};
export const target: PreflightFacts['target'] = {
  database: 'shop',
  current: { bytes: 3 * 1024 ** 2 },
  filestore: { path: '/var/lib/odoo/filestore/shop', exists: true },
  postgres: { version, isPooled: false },
  admin: { version, isPooled: false, role: 'odoo', login: 'odoo' },
  services: { stopCommands: ['systemctl stop odoo'], startCommands: ['systemctl start odoo'] },
};
export const request = {
  source: 'shop',
  inPlace: true,
  replace: true,
  neutralize: false,
  dropSlots: false,
  code: undefined,
  skipTables: [],
  salvage: false,
  encryptTo: undefined,
};

/** Facts of a rollback that nothing stands in the way of. */
export const rollback: PreflightFacts = {
  source,
  target,
  request,
  failures: [],
  owner: 'odoo',
  traits,
  extensions: [plpgsql],
  login: { login: 'odoo', version },
  isLoginSuperuser: false,
  loading: undefined,
  isStandby: false,
  missingRights: [],
  missingRoles: [],
  missingLocales: [],
  extensionProblems: [],
  mayMarkUnaccent: true,
  trusted: new Set(),
  slots: [],
  sessions: [],
  lock: undefined,
  space: { problems: [] },
  isFilestoreMount: false,
  services: { problems: [], running: ['odoo'] },
  hasProgram: false,
  code: undefined,
  codeUserProblem: undefined,
};
/** Facts of a copy of the same backup under another name. */
export const copy: PreflightFacts = {
  ...rollback,
  request: { ...request, inPlace: false, replace: false },
  target: {
    ...target,
    database: 'copy',
    current: undefined,
    filestore: { path: '/var/lib/odoo/filestore/copy', exists: false },
  },
};
export const passed = [
  'PostgreSQL 15.18 takes a dump of 15',
  'odoo may create and rename databases of odoo',
  'systemctl stop odoo, systemctl start odoo may be run',
];

/** `pg_restore --list` of a dump in which an event trigger belongs to an admin, and a view to another role. */
export const toc = {
  list: [
    '217; 1259 16402 TABLE public ir_module_module odoo',
    '3375; 0 16402 TABLE DATA public ir_module_module odoo',
    '3225; 3466 16414 EVENT TRIGGER - watcher admin',
    '219; 1259 16427 VIEW public theirs stranger',
    '6; 2615 2201 SCHEMA - extra stranger',
  ].join('\n'),
  superusers: new Set<string>(),
};
export const rights = { login: 'odoo', superuser: false, strangers: ['admin', 'stranger'] };
export const schemaOnly = { list: toc.list.replace(/^.* TABLE DATA .*\n/m, ''), superusers: toc.superusers };

/** The facts with a dump that is loaded, by default that one as that role. */
export const loading = (facts: PreflightFacts, its = toc, may: LoaderRights = rights): PreflightFacts => ({
  ...facts,
  loading: {
    toc: its,
    rights: may,
    unloadable: unloadable(its, may, facts.request.inPlace, facts.extensions),
  },
});

/** Facts, and what is said of them. */
interface Case {
  readonly title: string;
  readonly facts: PreflightFacts;
  readonly problems?: readonly RegExp[];
  readonly warnings?: readonly RegExp[];
  readonly hint?: RegExp;
}

/** A test of each. */
export function testCases(cases: readonly Case[]): void {
  for (const { title, facts, problems = [], warnings = [], hint } of cases) {
    test(title, () => {
      const found = judge(facts);
      const messages = found.problems.map(({ message }) => message);
      assert.equal(messages.length, problems.length, messages.join('\n'));
      for (const [i, expected] of problems.entries()) assert.match(messages[i] ?? '', expected);
      assert.equal(found.warnings.length, warnings.length, found.warnings.join('\n'));
      for (const [i, expected] of warnings.entries()) assert.match(found.warnings[i] ?? '', expected);
      for (const each of found.problems) assert.match(each.hint, /\S/, 'a problem says what to do');
      if (hint) assert.match(found.problems[0]?.hint ?? '', hint);
    });
  }
}
