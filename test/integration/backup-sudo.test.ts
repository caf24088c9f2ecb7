import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { cleanEnvironment, startBackup, takeBackup } from '../support/backup-run.ts';
import type { RawInputs } from '../support/inputs.ts';
import { assertNothingStored } from '../support/leftovers.ts';
import { type RootedHost, type RootedHostOptions, startRootedHost } from '../support/rooted-host.ts';
import { createBucket, s3Client } from '../support/s3.ts';
import { useSandbox } from '../support/sandbox.ts';

const sandbox = useSandbox();

/** As in the field: odoo.conf 0640, filestore 0700, peer authentication, and `deploy` logs in. Only root can make that. */
suite('a host of several accounts', { concurrency: false }, () => {
  const client = s3Client(sandbox.s3);
  let bucket: string;
  before(async () => {
    bucket = await createBucket(client);
  });
  after(() => client.destroy());

  const onHost = async (options: RootedHostOptions, body: (host: RootedHost) => Promise<void>) => {
    if (process.getuid?.() !== 0) return console.error('only root can make such a host: not tested');
    await using host = await startRootedHost(sandbox, options);
    await body(host);
  };
  const backup = (host: RootedHost, inputs: RawInputs = {}) =>
    startBackup(
      {
        'ssh-host': host.host,
        'ssh-port': String(host.port),
        'ssh-user': host.user,
        'ssh-key': sandbox.keys.plain,
        'ssh-known-hosts': host.knownHosts,
        database: host.database,
        's3-bucket': bucket,
        's3-endpoint': sandbox.s3.endpoint,
        customer: 'acme',
        ...inputs,
      },
      cleanEnvironment(sandbox.s3),
    ).ended;
  const succeeds = async (host: RootedHost, inputs: RawInputs = {}) => {
    const ended = await backup(host, inputs);
    assert.equal(ended.exitCode, 0, ended.log);
    const lines = ended.stdout.trim().split('\n');
    const outputs = Object.fromEntries(
      lines.map((line) => [line.split('=', 1)[0], line.slice(line.indexOf('=') + 1)]),
    );
    const { receipt } = await takeBackup(client, bucket, outputs);
    assert.equal(receipt.filestore?.files, 205);
    assert.equal(receipt.filestore?.missing, 0);
    return ended.log;
  };
  const fails = async (host: RootedHost, inputs: RawInputs, ...words: readonly RegExp[]) => {
    const ended = await backup(host, inputs);
    for (const pattern of words) assert.match(ended.log, pattern);
    assert.equal(ended.exitCode, 1, ended.log);
    await assertNothingStored(client, bucket);
  };
  const temporaryFiles = async (host: RootedHost) =>
    (await host.exec(['find', '/tmp', '-name', 'odoo-backup*'])).trim();

  test('sudo to odoo and postgres: everything is found without an input', async () => {
    await onHost({}, async (host) => {
      const log = await succeeds(host);
      assert.match(log, /odoo\.conf: \/etc\/odoo\/odoo\.conf/);
      assert.match(log, /role odoo, as account odoo by sudo/);
      assert.match(log, /Filestore: \S+, read as odoo/);
      await succeeds(host, { sudo: 'always', format: 'custom' });
      await fails(host, { sudo: 'never', 'odoo-conf': host.conf }, /odoo-conf/, /Set sudo to auto/);
      const left = await host.exec(['ps', '-eo', 'comm=']);
      assert.doesNotMatch(left, /pg_dump|psql|tar|zstd/);
    });
  });

  test('sudo to odoo alone is enough', async () => {
    await onHost({ sudoers: 'deploy ALL=(odoo) NOPASSWD: ALL' }, async (host) => {
      await succeeds(host);
    });
  });

  test('no sudo: the line that would allow it', async () => {
    await onHost({ sudoers: '# nobody' }, async (host) => {
      const line = /deploy ALL=\(odoo\) NOPASSWD: ALL/;
      await fails(host, { 'odoo-conf': host.conf }, /odoo-conf: .*may not (read|enter)/, line);
    });
  });

  test('format directory: too little space is found before, and a disk that fills up all the same', async () => {
    await onHost({ tmpMiB: 4 }, async (host) => {
      await fails(host, { format: 'directory' }, /Too little space on the host/);
      assert.equal(await temporaryFiles(host), '');
    });
    await onHost({ tmpMiB: 20 }, async (host) => {
      // PostgreSQL keeps it compressed: the tables are small, and their dump is not.
      const sql = "CREATE TABLE wide AS SELECT repeat('x', 10000000) AS text FROM generate_series(1, 6)";
      await host.exec(['runuser', '-u', 'odoo', '--', 'psql', '-XAtqd', host.database, '-c', sql]);
      await fails(
        host,
        { format: 'directory', compression: '0' },
        /pg_dump failed/,
        /No space left on device/,
      );
      assert.equal(await temporaryFiles(host), '');
    });
  });
});
