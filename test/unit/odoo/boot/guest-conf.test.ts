import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { guestConf } from '../../../../src/odoo/boot/guest-conf.ts';
import { optionsOf } from '../../../../src/odoo/raw-config.ts';

const settings = {
  database: 'shop__rehearsal_20261121034100',
  port: 20123,
  dataDir: '/tmp/x/data',
  major: 17,
};

/** An odoo.conf as people have it. */
const IN_USE = `[options]
; of the deploy
addons_path = /opt/odoo/addons,
    /srv/extra
admin_passwd = $pbkdf2-sha512$x
data_dir = /var/lib/odoo
db_host = False
db_name = shop
db_password = secret
db_port = 5433
db_user = odoo
dbfilter = ^%d$
gevent_port = 8072
http_interface = 0.0.0.0
http_port = 8069
limit_time_real = 600
list_db = True
log_handler = :ERROR
logfile = /var/log/odoo/odoo.log
max_cron_threads = 2
proxy_mode = True
server_wide_modules = base,web,queue_job
smtp_server = mx.example.com
syslog = False
workers = 8
[queue_job]
channels = root:4
`;

suite('the odoo.conf of a guest', () => {
  test('is that of the Odoo in use, with what must not be shared', () => {
    const text = guestConf(IN_USE, settings);
    const { admin_passwd, ...options } = Object.fromEntries(optionsOf(text));
    assert.match(admin_passwd ?? '', /^[\da-f-]{36}$/);
    assert.deepEqual(options, {
      addons_path: '/opt/odoo/addons,\n/srv/extra',
      data_dir: settings.dataDir,
      db_port: '5433',
      db_user: 'odoo',
      limit_time_real: '600',
      db_name: settings.database,
      list_db: 'False',
      http_interface: '127.0.0.1',
      http_port: '20123',
      workers: '0',
      max_cron_threads: '0',
      log_level: 'info',
      smtp_server: '127.0.0.1',
      smtp_port: '1',
      server_wide_modules: 'base,web',
    });
    assert.doesNotMatch(text, /secret|queue_job|mx\.example/);
  });

  for (const line of [
    'update = all',
    'init = base',
    'log_db = shop',
    'logfile = /var/log/odoo/odoo.log',
    'syslog = True',
    'pidfile = /run/odoo.pid',
    'import_partial = /var/lib/odoo/state',
    'stop_after_init = True',
    'db_replica_host = replica.example.com',
    'dbfilter = .*',
    'test_enable = True',
    'smtp_password = x',
    'sentry_dsn = https://x@sentry.example.com/1',
    'LOG_DB = shop',
  ]) {
    test(`does not have ${line}`, () => {
      const [name = ''] = line.split(' ');
      const options = optionsOf(guestConf(`[options]\n${line}\n`, settings));
      assert.ok(!options.has(name.toLowerCase()));
    });
  }

  test('shares no data_dir and no master password, whatever is written twice or in DEFAULT', () => {
    const text = '[DEFAULT]\ndata_dir = ..\nadmin_passwd = x\n[options]\nDATA_DIR = data\n';
    const options = optionsOf(guestConf(text, settings));
    assert.equal(options.get('data_dir'), settings.dataDir);
    assert.notEqual(options.get('admin_passwd'), 'x');
  });

  for (const [major, name] of [
    [8, 'xmlrpc_port'],
    [10, 'xmlrpc_port'],
    [11, 'http_port'],
    [12, 'http_port'],
    [19, 'http_port'],
    [undefined, 'http_port'],
  ] as const) {
    test(`Odoo ${major ?? 'of an unknown version'} is told ${name}`, () => {
      const options = optionsOf(
        guestConf('[options]\nxmlrpc_port = 8069\nhttp_port = 8069\n', { ...settings, major }),
      );
      assert.equal(options.get(name), '20123');
      const other = name === 'http_port' ? 'xmlrpc_port' : 'http_port';
      assert.ok(!options.has(other));
    });
  }

  test('there may be none in use, and a list of modules that is empty without queue_job', () => {
    assert.equal(optionsOf(guestConf('', settings)).get('db_name'), settings.database);
    const alone = guestConf('[options]\nserver_wide_modules = queue_job\n', settings);
    assert.ok(!optionsOf(alone).has('server_wide_modules'));
  });

  test('Python reads it as it is meant, whatever the one in use holds', () => {
    const value = fc.array(
      fc.string({ maxLength: 10 }).map((text) => text.replaceAll(/[\r\n]/g, '')),
      { minLength: 1, maxLength: 3 },
    );
    const names = fc.constantFrom(
      'addons_path',
      'data_dir',
      'x_option',
      'db_name',
      'dbfilter',
      'workers',
      'list_db',
    );
    const confs = fc.sample(fc.array(fc.tuple(names, value), { maxLength: 6 }), 300).map((options) => {
      const lines = options.map(([name, parts]) => `${name} = ${parts.join('\n   ')}`);
      return guestConf(`[options]\n${lines.join('\n')}\n`, settings);
    });
    const read = `
import configparser, io, json, sys
def read(text):
    parser = configparser.RawConfigParser()
    parser.read_file(io.StringIO(text, newline=None))
    return dict(parser.items('options'))
print(json.dumps([read(text) for text in json.load(sys.stdin)]))`;
    const { stdout, stderr } = spawnSync('python3', ['-c', read], {
      input: JSON.stringify(confs),
      encoding: 'utf8',
    });
    assert.equal(stderr, '');
    for (const options of JSON.parse(stdout)) {
      assert.equal(options.db_name, settings.database);
      assert.equal(options.http_interface, '127.0.0.1');
      assert.equal(options.max_cron_threads, '0');
      assert.equal(options.workers, '0');
      assert.ok(!('dbfilter' in options));
    }
  });
});
