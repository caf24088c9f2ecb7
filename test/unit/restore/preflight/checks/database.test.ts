import { suite } from 'node:test';
import { request, rollback, target, testCases, traits, version } from '../sample-facts.ts';

suite('a preflight checks the database', () => {
  testCases([
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
  ]);
});
