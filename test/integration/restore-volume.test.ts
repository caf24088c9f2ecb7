import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path/posix';
import { after, before, suite, test } from 'node:test';
import type { S3Client } from '@aws-sdk/client-s3';
import { cleanEnvironment, runCommand } from '../support/backup-run.ts';
import type { RawInputs } from '../support/inputs.ts';
import { assertNothingLeft, rootedInputs } from '../support/rooted-backup.ts';
import { type RootedHost, startRootedHost } from '../support/rooted-host.ts';
import { createBucket, s3Client } from '../support/s3.ts';
import { useSandbox } from '../support/sandbox.ts';

const DATA = '/var/lib/docker/volumes/odoo-data/_data';

/**
 * A filestore in a volume of Docker's, as the machine sees it: its files belong to the account of Odoo, and the folders
 * above it may be entered by root alone (`/var/lib/docker` is 710).
 */
suite('a filestore in a folder that only root may enter', {
  skip: process.getuid?.() === 0 ? false : 'needs root',
  concurrency: false,
}, () => {
  const sandbox = useSandbox();
  let host: RootedHost;
  let health: Server;
  let client: S3Client;
  let bucket: string;
  before(async () => {
    client = s3Client(sandbox.s3);
    bucket = await createBucket(client);
    host = await startRootedHost(sandbox, { sudoers: 'deploy ALL=(odoo,root) NOPASSWD: ALL' });
    const move = `mkdir -p -m 710 /var/lib/docker; mkdir -m 701 /var/lib/docker/volumes; mkdir -p ${DATA}/filestore
      mv ${host.filestore} ${DATA}/filestore/prod; chown odoo: ${DATA} ${DATA}/filestore
      echo 'data_dir = ${DATA}' >>${host.conf}`;
    await host.exec(['sh', '-ec', move]);
    health = createServer((_, response) => response.end('ok')).listen(0, '127.0.0.1');
    await once(health, 'listening');
  });
  after(async () => {
    health?.close();
    client?.destroy();
    await host?.[Symbol.asyncDispose]();
  });

  async function log(command: string, inputs: RawInputs = {}): Promise<string> {
    const there = { ...rootedInputs(host, sandbox, bucket), database: host.database };
    const ended = await runCommand(command, { ...there, ...inputs }, cleanEnvironment(sandbox.s3));
    assert.equal(ended.exitCode, 0, ended.log);
    await assertNothingLeft(host);
    return ended.log;
  }

  const rollback = (inputs: RawInputs = {}) => {
    const { port } = health.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/ from runner`;
    return log('rollback', {
      'stop-command': 'true',
      'start-command': 'true',
      'health-check': url,
      ...inputs,
    });
  };

  /** Each file with its content and owner. */
  const files = (database = host.database) => {
    const script = `cd "$1" && { find . -type f ! -path './checklist/*' -exec sha1sum {} +; find . -type f ! -path './checklist/*' -printf '%P %u %g\\n'; } | sort`;
    return host.exec(['sh', '-ec', script, 'sh', `${DATA}/filestore/${database}`]);
  };

  test('is backed up, put back, and put back where all of it is gone', async () => {
    const before = await files();
    assert.match(await log('backup'), /Filestore: \S+\/_data\/filestore\/prod, read as odoo/);

    // One file is gone, one is new.
    const change = `cd ${DATA}/filestore/prod; find . -type f | sort | head -n 1 | xargs rm
      mkdir -p da; printf x >da/da39a3ee5e6b4b0d3255bfef95601890afd80709; chown -R odoo: da`;
    await host.exec(['sh', '-ec', change]);
    const changed = await files();
    assert.notEqual(changed, before);
    assert.match(await rollback({ 'dry-run': 'true' }), /1 file/);
    assert.ok((await files()) === changed, 'a dry run changes nothing');
    await rollback();
    assert.deepEqual((await files()).split('\n'), before.split('\n'));

    await host.exec(['rm', '-rf', `${DATA}/filestore`]);
    await rollback({ 'dry-run': 'true' });
    await rollback();
    assert.deepEqual((await files()).split('\n'), before.split('\n'));
    assert.match(await host.exec(['ls', `${DATA}/filestore`]), /^prod$/m);
  });

  test('gives its files to a copy beside it', async () => {
    const restored = await log('restore', { 'target-database': 'shop_copy', database: host.database });
    assert.match(restored, /copied from \S+\/filestore\/prod/);
    const others = `find ${DATA}/filestore/shop_copy ! -user odoo | head -n 3`;
    assert.equal(await host.exec(['sh', '-c', others]), '');
    assert.equal((await files('shop_copy')).match(/ {2}\.\//g)?.length, 205);
  });

  test('is not read where it is a link: that may lead anywhere', async () => {
    await host.exec([
      'sh',
      '-ec',
      `mv ${DATA}/filestore/prod ${DATA}/real; ln -s ../real ${DATA}/filestore/prod`,
    ]);
    const restored = await log('restore', { 'target-database': 'shop_two', database: host.database });
    assert.doesNotMatch(restored, /copied from/);
    assert.equal((await files('shop_two')).match(/ {2}\.\//g)?.length, 205);
  });

  test('is refused with what would help, where only its owner may be acted as', async () => {
    await using other = await startRootedHost(sandbox, { sudoers: 'deploy ALL=(odoo) NOPASSWD: ALL' });
    const move = `mkdir -p -m 710 /var/lib/docker; mkdir -p ${dirname(DATA)}; mv ${dirname(dirname(other.filestore))} ${DATA}
      echo 'data_dir = ${DATA}' >>${other.conf}`;
    await other.exec(['sh', '-ec', move]);
    const inputs = {
      'ssh-host': other.host,
      'ssh-port': String(other.port),
      'ssh-user': other.user,
      'ssh-key': sandbox.keys.plain,
      'ssh-known-hosts': other.knownHosts,
      database: other.database,
      's3-bucket': bucket,
      's3-endpoint': sandbox.s3.endpoint,
      customer: 'other',
    };
    const ended = await runCommand('backup', inputs, cleanEnvironment(sandbox.s3));
    assert.equal(ended.exitCode, 1);
    assert.match(ended.log, /deploy may not look (at|into) \S*\/_data\/filestore\/prod/);
    assert.match(ended.log, /deploy ALL=\((odoo|root)\) NOPASSWD: ALL/);
  });
});
