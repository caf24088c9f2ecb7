import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { PgVersion } from '../../../../src/postgres/version.ts';
import { adminActions } from '../../../../src/restore/preflight/admin-actions.ts';
import { withoutObjects } from '../../../../src/restore/preflight/checks/dump.ts';
import type { PreflightFacts } from '../../../../src/restore/preflight/facts.ts';
import { judge } from '../../../../src/restore/preflight/judge.ts';
import { type LoaderRights, unloadable } from '../../../../src/restore/toc-checks.ts';

const version = new PgVersion(150_018, '15.18');
const plpgsql = { name: 'plpgsql', version: '1.0', schema: 'pg_catalog' };
const unaccent = { name: 'unaccent', version: '1.1', schema: 'public', owner: 'odoo' };
const traits = {
  encoding: 'UTF8',
  collate: 'C',
  ctype: 'en_US.UTF-8',
  localeProvider: 'libc',
  locale: null,
  settings: [],
};
const source: PreflightFacts['source'] = {
  uri: 's3://backups/acme/backups/shop_2026-11-21_03-04-05.zip',
  database: 'shop',
  odooVersion: '17.0',
  isSealed: false,
  receipt: { postgres: { server: '15.18' } },
  description: { postgres: { server: '15.18', owner: 'odoo' }, roles: [] },
  filestore: new Map(),
};
const target: PreflightFacts['target'] = {
  database: 'shop',
  current: { bytes: 3 * 1024 ** 2 },
  filestore: { path: '/var/lib/odoo/filestore/shop', exists: true },
  postgres: { version, isPooled: false },
  admin: { version, isPooled: false, role: 'odoo', login: 'odoo' },
  services: { stopCommands: ['systemctl stop odoo'], startCommands: ['systemctl start odoo'] },
};
const request = {
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
const rollback: PreflightFacts = {
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
const copy: PreflightFacts = {
  ...rollback,
  request: { ...request, inPlace: false, replace: false },
  target: {
    ...target,
    database: 'copy',
    current: undefined,
    filestore: { path: '/var/lib/odoo/filestore/copy', exists: false },
  },
};
const passed = [
  'PostgreSQL 15.18 takes a dump of 15',
  'odoo may create and rename databases of odoo',
  'systemctl stop odoo, systemctl start odoo may be run',
];

/** `pg_restore --list` of a dump in which an event trigger belongs to an admin, and a view to another role. */
const toc = {
  list: [
    '217; 1259 16402 TABLE public ir_module_module odoo',
    '3375; 0 16402 TABLE DATA public ir_module_module odoo',
    '3225; 3466 16414 EVENT TRIGGER - watcher admin',
    '219; 1259 16427 VIEW public theirs stranger',
    '6; 2615 2201 SCHEMA - extra stranger',
  ].join('\n'),
  superusers: new Set<string>(),
};
const rights = { login: 'odoo', superuser: false, strangers: ['admin', 'stranger'] };
const schemaOnly = { list: toc.list.replace(/^.* TABLE DATA .*\n/m, ''), superusers: toc.superusers };

/** The facts with a dump that is loaded, by default that one as that role. */
const loading = (facts: PreflightFacts, its = toc, may: LoaderRights = rights): PreflightFacts => ({
  ...facts,
  loading: {
    toc: its,
    rights: may,
    unloadable: unloadable(its, may, facts.request.inPlace, facts.extensions),
  },
});

interface Case {
  readonly title: string;
  readonly facts: PreflightFacts;
  readonly problems?: readonly RegExp[];
  readonly warnings?: readonly RegExp[];
  readonly hint?: RegExp;
}

const cases: readonly Case[] = [
  // the backup
  {
    title: 'a rollback to a backup of another database',
    facts: { ...rollback, source: { ...source, database: 'blog' } },
    problems: [/^The backup is of blog, and the database to roll back is shop$/],
  },
  {
    title: 'what is salvaged beside a sealed backup, which has no receipt that says so',
    facts: {
      ...rollback,
      source: { ...source, isSealed: true, receipt: undefined },
      request: { ...request, salvage: true },
    },
    problems: [/^salvage: the backup is sealed/],
    warnings: [/has no receipt/],
  },
  {
    title: 'a rollback to a backup of nobody knows what',
    facts: { ...rollback, source: { ...source, database: undefined } },
    warnings: [/does not say which database it is of$/],
  },
  {
    title: 'a copy of a backup of another database',
    facts: { ...copy, source: { ...source, database: 'blog' } },
    problems: [/^database: the backup is of blog, and not of shop$/],
  },
  {
    title: 'a copy of whichever backup',
    facts: { ...copy, request: { ...copy.request, source: undefined } },
  },
  {
    title: 'a copy of a backup of nobody knows what',
    facts: { ...copy, source: { ...source, database: undefined } },
  },
  {
    title: 'a copy under the name of a database that is there',
    facts: { ...copy, target: { ...copy.target, current: { bytes: 3 * 1024 ** 2 } } },
    problems: [/^target-database: copy is there already, with 3\.0 MiB$/],
    hint: /replace: true/,
  },
  {
    title: 'the same, where nobody may see its size',
    facts: { ...copy, target: { ...copy.target, current: { bytes: null } } },
    problems: [/^target-database: copy is there already, with data$/],
  },
  {
    title: 'a copy whose filestore is there without its database',
    facts: { ...copy, target: { ...copy.target, filestore: { path: '/f/copy', exists: true } } },
    problems: [/there is no database copy, but its filestore is there already: \/f\/copy$/],
  },
  {
    title: 'the same, of a backup of the database alone',
    facts: {
      ...copy,
      source: { ...source, filestore: undefined },
      target: { ...copy.target, filestore: { path: '/f/copy', exists: true } },
    },
    warnings: [/the filestore stays as it is$/],
  },
  {
    title: 'a copy that may replace what is there',
    facts: {
      ...copy,
      request: { ...copy.request, replace: true },
      target: { ...copy.target, current: { bytes: 1 } },
    },
  },
  {
    title: 'a neutralized copy in the place of its original',
    facts: {
      ...copy,
      request: { ...copy.request, replace: true, neutralize: true },
      target,
      hasProgram: true,
    },
    warnings: [/^shop has the same name as the backed-up database, and will be neutralized/],
  },
  {
    title: 'no receipt',
    facts: { ...rollback, source: { ...source, receipt: undefined } },
    warnings: [/^The backup has no receipt: .* \(allow-unverified\)$/],
  },
  {
    title: 'a backup of a newer server',
    facts: {
      ...rollback,
      source: { ...source, description: { postgres: { server: '16.1', owner: 'odoo' }, roles: [] } },
    },
    problems: [/^The backup is of PostgreSQL 16, and the host has 15\.18: dumps do not go to an older/],
  },
  {
    title: 'the same, by its receipt alone',
    facts: {
      ...rollback,
      source: { ...source, description: undefined, receipt: { postgres: { server: '99beta1' } } },
    },
    problems: [/^The backup is of PostgreSQL 99,/],
  },
  // the database
  {
    title: 'a pooler before the login',
    facts: { ...rollback, target: { ...target, postgres: { version, isPooled: true } } },
    problems: [/through a connection pooler such as pgbouncer/],
  },
  {
    title: 'a pooler before the admin role',
    facts: { ...rollback, target: { ...target, admin: { ...target.admin, isPooled: true } } },
    problems: [/through a connection pooler such as pgbouncer/],
  },
  {
    title: 'a standby',
    facts: { ...rollback, isStandby: true },
    problems: [/is a standby, on which nothing can be written$/],
    hint: /primary/,
  },
  {
    title: 'rights that the admin role lacks',
    facts: { ...rollback, missingRights: ['odoo may not create databases', 'There is no role boss'] },
    problems: [/^odoo may not create databases$/, /^There is no role boss$/],
    hint: /db-admin-user/,
  },
  {
    title: 'roles that are not there',
    facts: { ...rollback, missingRoles: ['alice', 'bob'] },
    problems: [/roles that do not exist on this server: alice, bob$/],
    hint: /CREATE ROLE "alice" NOLOGIN; CREATE ROLE "bob" NOLOGIN$/,
  },
  {
    title: 'locales that are not there',
    facts: { ...rollback, missingLocales: ['xx_XX.UTF-8'] },
    problems: [/does not have the locale of the backup’s database: xx_XX\.UTF-8$/],
    hint: /locale-gen xx_XX\.UTF-8$/,
  },
  {
    title: 'a locale provider of a newer server',
    facts: { ...rollback, traits: { ...traits, localeProvider: 'builtin', locale: 'C.UTF-8' } },
    problems: [/sorts by locale provider builtin, which PostgreSQL has from 17 on$/],
  },
  {
    title: 'a locale provider that nobody has, and a locale that is not there',
    facts: { ...rollback, traits: { ...traits, localeProvider: 'forged' }, missingLocales: ['xx'] },
    problems: [/a locale provider that PostgreSQL does not have: "forged"$/, /the locale .*: xx$/],
  },
  {
    title: 'slots of logical replication',
    facts: {
      ...rollback,
      slots: [
        { name: 'idle', active: false },
        { name: 'busy', active: true },
      ],
    },
    problems: [/^Logical replication slots belong to the database shop, .*: idle, busy \(in use\)$/],
    hint: /drop-slots: true/,
  },
  {
    title: 'slots that may go',
    facts: {
      ...rollback,
      slots: [{ name: 'idle', active: false }],
      request: { ...request, dropSlots: true },
    },
  },
  {
    title: 'sessions of which one would stay',
    facts: {
      ...rollback,
      sessions: [
        { role: 'odoo', application: 'odoo-12', mayEnd: true, count: 3 },
        { role: 'boss', application: 'psql', mayEnd: false, count: 1 },
        { role: 'root', application: '', mayEnd: false, count: 1 },
      ],
    },
    problems: [/^Sessions that odoo cannot terminate would block the swap: boss \(psql\), root$/],
  },
  {
    title: 'the lock of another run',
    facts: { ...rollback, lock: { message: 'A backup of shop is under way', hint: 'Wait for it.' } },
    problems: [/^A backup of shop is under way$/],
    hint: /^Wait for it\.$/,
  },
  {
    title: 'a superuser who loads the dump',
    facts: { ...rollback, owner: 'postgres', isLoginSuperuser: true },
    warnings: [/^The database belongs to postgres, a superuser, who loads the dump/],
  },
  {
    title: 'the same, where somebody else may be meant to load it',
    facts: {
      ...rollback,
      isLoginSuperuser: true,
      failures: [{ message: 'odoo is not let in', hint: 'Let it in.' }],
    },
    problems: [/^odoo is not let in$/],
  },
  // extensions
  {
    title: 'extensions that cannot be made',
    facts: {
      ...rollback,
      extensionProblems: [
        { extension: 'pg_trgm', problem: 'absent' },
        { extension: 'postgres_fdw', problem: 'refused' },
        { extension: 'vector', problem: 'admin' },
      ],
    },
    problems: [
      /^The extension pg_trgm of the backup is not installed on the database server$/,
      /^odoo does not create the extension postgres_fdw only because a backup names it/,
      /^The role odoo is not allowed to create the extension vector$/,
    ],
    hint: /such as postgresql-15-pg-trgm\.$/,
  },
  {
    title: 'unaccent that stays as it is',
    facts: { ...rollback, mayMarkUnaccent: false },
    warnings: [/^odoo may not mark unaccent IMMUTABLE, as Odoo marks it/],
  },
  // the dump
  {
    title: 'a dump without rows',
    facts: loading(copy, { ...schemaOnly, list: schemaOnly.list.replace(/.*EVENT.*\n/, '') }),
    problems: [/its dump holds the tables of Odoo and not one row/],
  },
  {
    title: 'a rollback of what its loader may not make',
    facts: loading(rollback),
    problems: [
      /objects that only a superuser can create, but it is loaded as odoo: EVENT TRIGGER watcher$/,
      /things of the role stranger, and is loaded as odoo, .*: VIEW public theirs$/,
    ],
  },
  {
    title: 'a copy of it goes without',
    facts: loading(copy),
    warnings: [/^The copy is made without objects that only a superuser can create: EVENT TRIGGER watcher\./],
  },
  {
    title: 'a superuser may make everything',
    facts: loading(rollback, toc, { ...rights, superuser: true, strangers: [] }),
  },
  // the filestore
  {
    title: 'a backup of the database alone',
    facts: { ...rollback, source: { ...source, filestore: undefined } },
    warnings: [/^The backup is of the database alone: the filestore stays as it is$/],
  },
  {
    title: 'filestore: false',
    facts: { ...rollback, target: { ...target, filestore: undefined } },
    warnings: [/^filestore: false: the attachments of the backup stay where they are$/],
  },
  {
    title: 'neither has one',
    facts: {
      ...rollback,
      source: { ...source, filestore: undefined },
      target: { ...target, filestore: undefined },
    },
  },
  {
    title: 'a filestore that is a mount',
    facts: { ...rollback, isFilestoreMount: true },
    problems: [/^filestore: \/var\/lib\/odoo\/filestore\/shop is a mount of its own/],
    hint: /Mount the folder above it instead, \/var\/lib\/odoo\/filestore,/,
  },
  {
    title: 'the same, where it is left alone',
    facts: { ...rollback, isFilestoreMount: true, source: { ...source, filestore: undefined } },
    warnings: [/the filestore stays as it is/],
  },
  {
    title: 'too little space',
    facts: { ...rollback, space: { problems: [{ message: 'It does not fit', hint: 'Free space.' }] } },
    problems: [/^It does not fit$/],
  },
  // the services
  {
    title: 'a program that neutralizes is missing',
    facts: { ...copy, request: { ...copy.request, neutralize: true } },
    warnings: [/^The host has no program odoo that knows neutralize/],
  },
  {
    title: 'the same, of a version that Odoo’s SaaS has',
    facts: {
      ...copy,
      request: { ...copy.request, neutralize: true },
      source: { ...source, odooVersion: 'saas~16.3' },
    },
    warnings: [/^The host has no program odoo that knows neutralize/],
  },
  {
    title: 'no Odoo of that version has it',
    facts: {
      ...copy,
      request: { ...copy.request, neutralize: true },
      source: { ...source, odooVersion: '15.0' },
    },
  },
  {
    title: 'it is there',
    facts: { ...copy, request: { ...copy.request, neutralize: true }, hasProgram: true },
  },
  // several
  {
    title: 'a problem that is found twice counts once',
    facts: {
      ...rollback,
      lock: { message: 'psql is not let in', hint: 'Let it in.' },
      failures: [{ message: 'psql is not let in', hint: 'Let it in.' }],
      isStandby: true,
    },
    problems: [/^psql is not let in$/, /is a standby/],
  },
];

suite('the checks of a preflight', () => {
  test('a rollback that nothing stands in the way of', () => {
    assert.deepEqual(judge(rollback), { problems: [], warnings: [], passed });
  });

  test('a copy likewise', () => {
    assert.deepEqual(judge(copy), { problems: [], warnings: [], passed });
  });

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

  test('what is as it has to be is told, each thing once it is certain', () => {
    const all = judge({
      ...rollback,
      extensions: [plpgsql, unaccent],
      source: { ...source, description: { postgres: { server: '9.6.24', owner: 'odoo' }, roles: ['odoo'] } },
    });
    assert.deepEqual(all.passed, [
      'PostgreSQL 15.18 takes a dump of 9',
      'its extensions can be made: unaccent',
      'odoo may create and rename databases of odoo',
      'systemctl stop odoo, systemctl start odoo may be run',
      'the roles of the backup are there: odoo',
    ]);
    const none = judge({
      ...rollback,
      extensions: [unaccent],
      extensionProblems: [{ extension: 'unaccent', problem: 'absent' }],
      source: { ...source, description: undefined, receipt: { postgres: { server: '' } } },
      missingRights: ['odoo may not create databases'],
      services: {
        problems: [{ message: 'odoo.service is not there', hint: 'Name it.' }],
        running: undefined,
      },
    });
    assert.deepEqual(none.passed, []);
  });
});

suite('what the admin role does', () => {
  const admin = { ...target.admin, role: 'boss', login: 'boss' };
  const facts = { ...rollback, target: { ...target, admin }, extensions: [plpgsql, unaccent] };

  test('nothing, where it is the login that loads the dump', () => {
    assert.deepEqual(adminActions({ ...facts, login: { login: 'boss', version } }), []);
  });

  test('what the owner of a database may not', () => {
    const create = 'create the database, and later rename it';
    const mark = 'mark the function unaccent IMMUTABLE';
    assert.deepEqual(adminActions(facts), [create, 'create the extension unaccent', mark]);
    assert.deepEqual(adminActions({ ...facts, trusted: new Set(['unaccent']) }), [create, mark]);
    const ofAdmin = { ...unaccent, owner: 'boss' };
    assert.deepEqual(
      adminActions({ ...facts, extensions: [ofAdmin], trusted: new Set(['unaccent']) }),
      [create, 'create the extension unaccent', mark],
      'one that belonged to an admin stays an admin’s',
    );
  });

  test('settings and the state of extensions, the latter of a backup with a receipt only', () => {
    const extensionState = {
      schemas: [],
      sequences: [{ schema: 'public', name: 's', last: '7', called: true }],
      privileges: [],
    };
    const description = { postgres: { server: '15.18', owner: 'odoo' }, roles: [], extensionState };
    const given = {
      ...facts,
      extensions: [],
      traits: { ...traits, settings: ['a'] },
      source: { ...source, description },
    };
    const settings = 'give the settings that its owner may not, as far as a backup may say so';
    const create = 'create the database, and later rename it';
    assert.deepEqual(adminActions(given), [create, 'set 1 sequences of extensions', settings]);
    const unverified = { ...given, source: { ...given.source, receipt: undefined } };
    assert.deepEqual(adminActions(unverified), [create, settings]);
  });
});

test('a rollback leaves nothing out, a copy leaves out what its loader is not allowed to create', () => {
  assert.deepEqual(withoutObjects(loading(rollback)).superusers, []);
  const { superusers, owners } = withoutObjects(loading(copy));
  assert.deepEqual([superusers, owners.size], [['EVENT TRIGGER watcher'], 0]);
});
