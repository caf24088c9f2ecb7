import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type OdooConf, parseOdooConf } from '../../../src/odoo/odoo-conf.ts';

const nothing: OdooConf = {
  dbHost: undefined,
  dbPort: undefined,
  dbUser: undefined,
  dbPassword: undefined,
  dbSslmode: undefined,
  dbNames: [],
  dataDir: undefined,
  addonsPath: [],
  httpInterface: undefined,
  httpPort: undefined,
};

suite('odoo.conf', () => {
  const cases: [what: string, text: string, expected: Partial<OdooConf>][] = [
    ['an empty file', '', {}],
    ['no section', 'db_name = prod\n', {}],
    ['an empty section', '[options]', {}],
    [
      'the usual',
      '[options]\ndb_host = db.local\ndb_port = 5433\ndb_user = odoo\ndb_password = s3cret\ndb_name = prod\ndata_dir = /srv/odoo\n',
      {
        dbHost: 'db.local',
        dbPort: 5433,
        dbUser: 'odoo',
        dbPassword: 's3cret',
        dbNames: ['prod'],
        dataDir: '/srv/odoo',
      },
    ],
    [
      'what Odoo writes for “not set”',
      '[options]\ndb_host = False\ndb_port = False\ndb_user = False\ndb_password = False\ndb_name = None\ndata_dir =\n',
      {},
    ],
    ['False in other letters', '[options]\ndb_host = false\ndb_password = NONE\n', {}],
    [
      'a password that only starts like it',
      '[options]\ndb_password = Falsetto\n',
      { dbPassword: 'Falsetto' },
    ],
    [
      'percent signs, equals signs, quotes',
      '[options]\ndb_password = a%b%%c=d"e\'f\n',
      { dbPassword: 'a%b%%c=d"e\'f' },
    ],
    ['a # and a ; inside a value', '[options]\ndb_password = a#b;c\n', { dbPassword: 'a#b;c' }],
    [
      'a # after a space: Python takes it as part of the value',
      '[options]\ndb_password = a #b\n',
      { dbPassword: 'a #b' },
    ],
    [
      'comments',
      '# [options]\n; x\n[options]\n#db_name = no\n;db_name = no\ndb_name = yes\n',
      { dbNames: ['yes'] },
    ],
    ['a comment that is indented', '[options]\ndb_name = yes\n  # not a part of it\n', { dbNames: ['yes'] }],
    [
      'where Odoo listens',
      '[options]\nhttp_interface = 127.0.0.1\nhttp_port = 8070\nxmlrpc_port = 1\n',
      { httpInterface: '127.0.0.1', httpPort: 8070 },
    ],
    ['where Odoo 10 listens', '[options]\nxmlrpc_port = 8071\n', { httpPort: 8071 }],
    ['a colon instead of =', '[options]\ndb_name: prod\n', { dbNames: ['prod'] }],
    ['no spaces', '[options]\ndb_name=prod\n', { dbNames: ['prod'] }],
    ['capitals in the key', '[options]\nDB_Name = Prod\n', { dbNames: ['Prod'] }],
    ['CRLF and a byte order mark', '\uFEFF[options]\r\ndb_name = prod\r\n', { dbNames: ['prod'] }],
    ['several databases', '[options]\ndb_name = one, two ,three\n', { dbNames: ['one', 'two', 'three'] }],
    [
      'another section',
      '[queue_job]\ndb_name = no\n[options]\ndb_name = yes\n[more]\ndata_dir = /no\n',
      { dbNames: ['yes'] },
    ],
    ['the last of two', '[options]\ndb_user = one\ndb_user = two\n', { dbUser: 'two' }],
    ['a port that is none', '[options]\ndb_port = 5432x\n', {}],
    [
      'a continued value',
      '[options]\naddons_path = /a,\n  /b\ndb_name = prod\n',
      { dbNames: ['prod'], addonsPath: ['/a', '/b'] },
    ],
    ['no addons', '[options]\naddons_path = False\n', {}],
    ['an option without a value', '[options]\nproxy_mode\ndb_name = prod\n', { dbNames: ['prod'] }],
    ['db_sslmode', '[options]\ndb_sslmode = require\n', { dbSslmode: 'require' }],
    ['a socket folder', '[options]\ndb_host = /var/run/postgresql\n', { dbHost: '/var/run/postgresql' }],
  ];
  for (const [what, text, expected] of cases) {
    test(what, () => assert.deepEqual(parseOdooConf(text), { ...nothing, ...expected }));
  }

  for (const option of [
    'db_host',
    'db_port',
    'db_user',
    'db_password',
    'db_name',
    'data_dir',
    'http_interface',
  ]) {
    test(`a value of ${option} with several lines is refused, and not printed`, () => {
      const refuses = (text: string) =>
        assert.throws(
          () => parseOdooConf(text),
          (error: Error & { hint?: string }) =>
            error.message.includes(option) && !`${error.message}${error.hint}`.includes('s3cret'),
        );
      refuses(`[options]\n${option} = x\n  db_password = s3cret\n`);
      refuses(`[options]\n${option} = x\u0007s3cret\n`);
    });
  }

  test('a list of databases may go over several lines', () => {
    assert.deepEqual(parseOdooConf('[options]\ndb_name = one,\n  two\n').dbNames, ['one', 'two']);
  });
});
