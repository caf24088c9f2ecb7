import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { kmsKeyId } from '../support/ceph.ts';
import { grow } from '../support/growth.ts';
import { assertNothingRuns, assertNothingStored, processesOf } from '../support/leftovers.ts';
import { createOdoo } from '../support/odoo.ts';
import { missingPackages } from '../support/packages.ts';
import { psql } from '../support/postgres.ts';
import { descendants, processes, run } from '../support/processes.ts';
import { startRootedHost } from '../support/rooted-host.ts';
import { createBucket, getObject, givenS3Server, listKeys, restrictedUser, s3Client } from '../support/s3.ts';
import { startS3Proxy } from '../support/s3-proxy.ts';
import { type RunningSandbox, startSandbox } from '../support/sandbox.ts';
import { type SshServer, startAgent, startOwnSshd } from '../support/sshd.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

let sandbox: RunningSandbox;
before(async () => {
  sandbox = await startSandbox();
});
after(() => sandbox?.[Symbol.asyncDispose]());

/** The arguments of OpenSSH's own client: nothing of the machine's configuration, host keys checked. */
async function ssh(
  server: Pick<SshServer, 'port' | 'user' | 'knownHosts'>,
  ...options: string[]
): Promise<string[]> {
  const knownHosts = join(sandbox.folder, `known-hosts-${server.port}`);
  await writeFile(knownHosts, server.knownHosts);
  const checked = ['-o', `UserKnownHostsFile=${knownHosts}`, '-o', 'StrictHostKeyChecking=yes'];
  const where = ['-p', String(server.port), `${server.user}@127.0.0.1`];
  return ['ssh', '-F', 'none', ...checked, ...options, ...where];
}

const batch = ['-o', 'BatchMode=yes'];

describe('SSH', () => {
  it('lets in the client key, into a TMPDIR of its own', async () => {
    const login = await ssh(sandbox.ssh, ...batch, '-i', sandbox.keys.plain);
    assert.equal(
      await run([...login, 'echo "$(id -un) $TMPDIR"']),
      `${sandbox.account.name} ${sandbox.ssh.tmp}\n`,
    );
  });

  it('lets in the key with a passphrase', async () => {
    const askpass = join(sandbox.folder, 'askpass');
    await writeFile(askpass, `#!/bin/sh\necho '${sandbox.keys.passphrase}'\n`);
    await chmod(askpass, 0o755);
    const login = await ssh(sandbox.ssh, '-i', sandbox.keys.encrypted);
    const env = { SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: 'force' };
    assert.equal(await run([...login, 'echo in'], { env }), 'in\n');
    await assert.rejects(run([...login, ...batch, 'echo in']), /Permission denied/);
  });

  it('lets in through the agent', async () => {
    await using agent = await startAgent(sandbox, sandbox.keys.plain);
    const login = await ssh(sandbox.ssh, ...batch);
    assert.equal(await run([...login, 'echo in'], { env: { SSH_AUTH_SOCK: agent.socket } }), 'in\n');
    await assert.rejects(run([...login, 'echo in'], { env: { SSH_AUTH_SOCK: '' } }), /Permission denied/);
  });

  it('refuses the unknown key', async () => {
    const login = await ssh(sandbox.ssh, ...batch, '-i', sandbox.keys.unknown);
    await assert.rejects(run([...login, 'true']), /Permission denied/);
  });

  it('forwards through the jump host, which has other host keys', async () => {
    const jump = await ssh(
      sandbox.jump,
      ...batch,
      '-i',
      sandbox.keys.plain,
      '-W',
      `127.0.0.1:${sandbox.ssh.port}`,
    );
    const login = await ssh(
      sandbox.ssh,
      ...batch,
      '-i',
      sandbox.keys.plain,
      '-o',
      `ProxyCommand=${jump.join(' ')}`,
    );
    assert.equal(await run([...login, 'echo through']), 'through\n');
    const mistaken = await ssh({ ...sandbox.jump, knownHosts: sandbox.ssh.knownHosts }, ...batch);
    await assert.rejects(run([...mistaken, 'true']), /Host key verification failed/);
  });
});

describe('PostgreSQL', () => {
  it('lets in by peer over the socket, by password over TCP', async () => {
    const { postgres } = sandbox;
    assert.equal(await psql(postgres, 'postgres', 'SELECT current_user', 'odoo'), 'odoo');
    const tcp = [
      '-X',
      '-A',
      '-t',
      '-h',
      postgres.host,
      '-p',
      String(postgres.port),
      '-U',
      'odoo',
      '-d',
      'postgres',
    ];
    const select = [
      join(postgres.bin, 'psql'),
      '-w',
      ...tcp,
      '-c',
      'SELECT rolcreatedb, rolsuper FROM pg_roles WHERE rolname = user',
    ];
    assert.equal(await run(select, { env: { PGPASSWORD: postgres.odoo.password } }), 't|f\n');
    await assert.rejects(run(select, { env: { PGPASSWORD: 'wrong' } }), /password authentication failed/);
  });

  it('lets in who comes over SSH', async () => {
    const { postgres } = sandbox;
    const login = await ssh(sandbox.ssh, ...batch, '-i', sandbox.keys.plain);
    const select = `psql -XAt -h ${postgres.socket} -p ${postgres.port} -U odoo -d postgres -c 'SELECT user'`;
    assert.equal(await run([...login, select]), 'odoo\n');
  });
});

describe('Odoo', () => {
  it('is a copy of the fixture: every attachment is in the filestore under its SHA-1', async () => {
    await using odoo = await createOdoo(sandbox);
    const stored = await psql(
      sandbox.postgres,
      odoo.database,
      'SELECT DISTINCT store_fname FROM ir_attachment WHERE store_fname IS NOT NULL ORDER BY 1',
      'odoo',
    );
    for (const name of stored.split('\n')) {
      const content = await readFile(join(odoo.filestore, name));
      assert.equal(createHash('sha1').update(content).digest('hex'), basename(name));
    }
    assert.equal(stored.split('\n').length, 203);
    assert.match(await readFile(odoo.conf, 'utf8'), new RegExp(`data_dir = ${odoo.dataDir}`));
  });

  it('leaves nothing', async () => {
    const odoo = await createOdoo(sandbox);
    await odoo[Symbol.asyncDispose]();
    assert.equal(existsSync(odoo.dataDir), false);
    const left = await psql(
      sandbox.postgres,
      'postgres',
      `SELECT 1 FROM pg_database WHERE datname = '${odoo.database}'`,
    );
    assert.equal(left, '');
  });

  it('grows', async () => {
    await using odoo = await createOdoo(sandbox);
    const before = (await readdir(odoo.filestore, { recursive: true })).length;
    const attachments = [
      { count: 300, size: 1000, kind: 'photo' },
      { count: 1, size: 9_000_001, kind: 'report' },
      { count: 2, size: 0, kind: 'photo' },
    ] as const;
    await grow(sandbox, odoo, { attachments, partners: 1000 });
    const rows = await psql(
      sandbox.postgres,
      odoo.database,
      `SELECT store_fname, file_size FROM ir_attachment WHERE name ~ '^(photo|report)-'`,
    );
    assert.equal(rows.split('\n').length, 303);
    for (const row of rows.split('\n')) {
      const [name = '', size] = row.split('|');
      const content = await readFile(join(odoo.filestore, name));
      assert.equal(content.length, Number(size));
      assert.equal(createHash('sha1').update(content).digest('hex'), basename(name));
    }
    assert.ok((await readdir(odoo.filestore, { recursive: true })).length >= before + 302);
    assert.equal(
      await psql(
        sandbox.postgres,
        odoo.database,
        `SELECT count(*) FROM res_partner WHERE name LIKE 'Customer %'`,
      ),
      '1000',
    );
  });
});

describe('S3', () => {
  let client: S3Client;
  let Bucket: string;
  before(async () => {
    client = s3Client(sandbox.s3);
    Bucket = await createBucket(client);
  });
  after(() => client.destroy());

  it('keeps objects, encrypted where asked, and uploads that were never finished', async () => {
    await client.send(
      new PutObjectCommand({ Bucket, Key: 'a/plain', Body: 'x', StorageClass: 'STANDARD_IA' }),
    );
    await client.send(
      new PutObjectCommand({ Bucket, Key: 'a/sse', Body: 'y', ServerSideEncryption: 'AES256' }),
    );
    const kms = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: kmsKeyId } as const;
    await client.send(new PutObjectCommand({ Bucket, Key: 'a/kms', Body: 'z', ...kms }));
    assert.deepEqual(await listKeys(client, Bucket, 'a/'), ['a/kms', 'a/plain', 'a/sse']);
    assert.equal(Buffer.from(await getObject(client, Bucket, 'a/sse')).toString(), 'y');
    const head = (Key: string) => client.send(new HeadObjectCommand({ Bucket, Key }));
    assert.equal((await head('a/plain')).StorageClass, 'STANDARD_IA');
    assert.equal((await head('a/sse')).ServerSideEncryption, 'AES256');
    assert.equal((await head('a/kms')).ServerSideEncryption, 'aws:kms');

    await assertNothingStored(client, Bucket, 'b/');
    await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'b/unfinished' }));
    await assert.rejects(assertNothingStored(client, Bucket, 'b/'), /unfinished uploads were left/);
    await assert.rejects(assertNothingStored(client, Bucket, 'a/'), /objects were left/);
  });

  it('lets a restricted account do what it may', async () => {
    const nobody = s3Client(await restrictedUser(sandbox.s3, Bucket));
    await assert.rejects(nobody.send(new ListObjectsV2Command({ Bucket })), { name: 'AccessDenied' });
    const writer = s3Client(await restrictedUser(sandbox.s3, Bucket, ['s3:PutObject']));
    await writer.send(new PutObjectCommand({ Bucket, Key: 'c/its', Body: 'x' }));
    await client.send(new PutObjectCommand({ Bucket, Key: 'c/ours', Body: 'x' }));
    await assert.rejects(writer.send(new GetObjectCommand({ Bucket, Key: 'c/ours' })), {
      name: 'AccessDenied',
    });
  });

  it('breaks through the proxy as the rules say', async () => {
    await using proxy = await startS3Proxy(sandbox.s3);
    const through = s3Client(proxy);
    const put = (Key: string) =>
      through.send(new PutObjectCommand({ Bucket, Key, Body: Buffer.alloc(100_000) }));
    const isPut = ({ method }: { method: string }) => method === 'PUT';
    await put('p/plain');
    assert.equal(proxy.requests.length, 1);

    proxy.rules = [{ when: isPut, fault: { kind: 'error', status: 503, code: 'SlowDown' }, times: 2 }];
    assert.equal((await put('p/retried')).$metadata.attempts, 3);
    proxy.rules = [{ when: isPut, fault: { kind: 'error', status: 403, code: 'AccessDenied' } }];
    await assert.rejects(put('p/denied'), { name: 'AccessDenied' });
    proxy.rules = [{ when: isPut, fault: { kind: 'reset' } }];
    await assert.rejects(put('p/reset'), /ECONNRESET|socket hang up/);
    proxy.rules = [{ when: isPut, fault: { kind: 'lose-answer' } }];
    await assert.rejects(put('p/lost-answer'), /ECONNRESET|socket hang up/);
    proxy.rules = [{ when: isPut, fault: { kind: 'slow', bytesPerSecond: 1e6 } }];
    await put('p/slow');
    assert.deepEqual(await listKeys(client, Bucket, 'p/'), [
      'p/lost-answer',
      'p/plain',
      'p/retried',
      'p/slow',
    ]);

    const upload = { Bucket, Key: 'p/parts' };
    const { UploadId } = await through.send(new CreateMultipartUploadCommand(upload));
    const part = async (PartNumber: number) => {
      const command = new UploadPartCommand({ ...upload, UploadId, PartNumber, Body: 'x' });
      return (await through.send(command)).ETag;
    };
    const isPart = (number: number) => (seen: { query: URLSearchParams }) =>
      seen.query.get('partNumber') === String(number);
    proxy.rules = [
      { when: isPart(2), fault: { kind: 'etag' } },
      { when: isPart(3), fault: { kind: 'etag', value: '"other"' } },
    ];
    assert.deepEqual(await Promise.all([1, 2, 3].map(part)), [
      '"9dd4e461268c8034f5c8564e155c67a6"',
      undefined,
      '"other"',
    ]);

    proxy.rules = [{ when: ({ method }) => method === 'GET', fault: { kind: 'truncate', bytes: 70_000 } }];
    await assert.rejects(getObject(through, Bucket, 'p/plain'));
  });

  it('can be any other server', () => {
    const env = {
      S3_TEST_ENDPOINT: 'http://127.0.0.1:1',
      S3_TEST_ACCESS_KEY_ID: 'a',
      S3_TEST_SECRET_ACCESS_KEY: 'b',
    };
    const expected = {
      endpoint: 'http://127.0.0.1:1',
      region: 'us-east-1',
      accessKeyId: 'a',
      secretAccessKey: 'b',
    };
    assert.deepEqual(givenS3Server(env), expected);
    assert.equal(givenS3Server({}), undefined);
    assert.throws(() => givenS3Server({ S3_TEST_ENDPOINT: 'http://127.0.0.1:1' }), /S3_TEST_ACCESS_KEY_ID/);
  });
});

describe('TCP proxy', () => {
  const length = 3_000_000;
  const send = async (port: number) => {
    const login = await ssh(
      {
        ...sandbox.ssh,
        port,
        knownHosts: sandbox.ssh.knownHosts.replaceAll(`:${sandbox.ssh.port} `, `:${port} `),
      },
      ...batch,
      '-i',
      sandbox.keys.plain,
    );
    return (await run([...login, `head -c ${length} /dev/zero | tr '\\0' x`])).length;
  };

  it('forwards, late and slowly', async () => {
    await using proxy = await startTcpProxy(sandbox.ssh, { delayMs: 5, bytesPerSecond: 20e6 });
    assert.equal(await send(proxy.port), length);
    assert.ok(proxy.bytes > length);
  });

  for (const cutWith of ['reset', 'end'] as const) {
    it(`cuts the line (${cutWith})`, async () => {
      await using proxy = await startTcpProxy(sandbox.ssh, { cutAfterBytes: 1_000_000, cutWith });
      await assert.rejects(send(proxy.port), /reset|closed|Broken pipe/i);
      assert.equal(proxy.bytes, 1_000_000);
    });
  }

  it('goes silent, and keeps the connection', async () => {
    await using proxy = await startTcpProxy(sandbox.ssh);
    const socket = createConnection(proxy.port, '127.0.0.1');
    await once(socket, 'data'); // sshd's greeting
    proxy.faults = { silent: true };
    const { bytes } = proxy;
    socket.write('SSH-2.0-test\r\n');
    await sleep(300);
    assert.equal(proxy.bytes, bytes);
    assert.equal(socket.readyState, 'open');
    socket.destroy();
  });
});

describe('What is left on the host', () => {
  it('is seen: sessions, orphans, files, database sessions', async () => {
    await using own = await startOwnSshd(sandbox);
    await using odoo = await createOdoo(sandbox);
    const login = await ssh(own, ...batch, '-i', sandbox.keys.plain);
    await assertNothingRuns(own, sandbox.postgres, odoo.database);

    const orphan = Number(await run([...login, 'setsid sleep 1000 >/dev/null 2>&1 & echo $!']));
    assert.deepEqual(
      (await processesOf(own)).filter((name) => name.endsWith('sleep')),
      [`${orphan} sleep`],
    );
    process.kill(orphan);
    await assertNothingRuns(own, sandbox.postgres, odoo.database);

    await run([...login, 'mktemp']);
    await assert.rejects(assertNothingRuns(own, sandbox.postgres, odoo.database), /files were left/);
  });
});

describe('Rooted host', () => {
  it('has accounts, sudo, peer authentication and a filestore that only odoo reads', async (context) => {
    if (process.getuid?.() !== 0) {
      await assert.rejects(startRootedHost(sandbox), /needs root/);
      context.diagnostic('not root: only the refusal was tested');
      return;
    }
    await using host = await startRootedHost(sandbox, { tmpMiB: 8 });
    const login = await ssh(host, ...batch, '-i', sandbox.keys.plain);
    const deploy = (command: string) => run([...login, command]);
    assert.equal(
      await deploy('id -un; sudo -n -u odoo id -un; sudo -n -u postgres id -un'),
      'deploy\nodoo\npostgres\n',
    );
    await assert.rejects(deploy('sudo -n id'), /a password is required/);
    await assert.rejects(deploy(`cat ${host.conf}`), /Permission denied/);
    await assert.rejects(deploy(`ls ${host.filestore}`), /Permission denied/);
    await assert.rejects(deploy('psql -XAt -l'), /role "deploy" does not exist/);
    const count = `psql -XAt -d ${host.database} -c 'SELECT user, count(DISTINCT store_fname) FROM ir_attachment'`;
    assert.equal(await deploy(`sudo -n -u odoo ${count}`), 'odoo|203\n');
    assert.equal(
      await deploy(`sudo -n -u odoo find ${host.filestore} -type f -not -path '*/checklist/*' | wc -l`),
      '205\n',
    );
    await assert.rejects(deploy('head -c 9000000 /dev/zero >/tmp/full'), /No space left/);
    await assert.rejects(run(['id', 'deploy'])); // out here nobody knows that account
  });

  it('allows what the sudoers file says', async (context) => {
    if (process.getuid?.() !== 0) return context.diagnostic('not root');
    await using host = await startRootedHost(sandbox, { sudoers: 'deploy ALL=(odoo) NOPASSWD: /usr/bin/id' });
    const login = await ssh(host, ...batch, '-i', sandbox.keys.plain);
    assert.equal(await run([...login, 'sudo -n -u odoo id -un']), 'odoo\n');
    await assert.rejects(run([...login, 'sudo -n -u postgres id -un']), /a password is required/);
  });
});

describe('The end', () => {
  const start = async (
    env: Record<string, string>,
  ): Promise<{ parent: ChildProcess; folder: string; pids: number[] }> => {
    const parent = spawn(process.execPath, [join(import.meta.dirname, '../support/start.ts')], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: parent.stdout });
    const [line] = (await once(lines, 'line')) as [string];
    return { parent, folder: dirname(line.replace('SANDBOX=', '')), pids: await descendants(parent.pid) };
  };
  const running = async (pids: number[]) => (await processes()).filter(({ pid }) => pids.includes(pid));
  const gone = async (pids: number[]) => {
    while ((await running(pids)).length > 0) await sleep(50);
  };
  // The sandbox's Ceph stands in for one of its own: it takes the longest.
  const given = () => ({
    S3_TEST_ENDPOINT: sandbox.s3.endpoint,
    S3_TEST_ACCESS_KEY_ID: sandbox.s3.accessKeyId,
    S3_TEST_SECRET_ACCESS_KEY: sandbox.s3.secretAccessKey,
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`comes with ${signal}: no server, no folder`, async () => {
      const { parent, folder, pids } = await start(given());
      assert.ok(pids.length >= 3);
      parent.kill(signal);
      parent.kill(signal); // npm hands on what the terminal has already sent
      const [code] = await once(parent, 'exit');
      assert.equal(code, signal === 'SIGINT' ? 130 : 143);
      assert.deepEqual(await running(pids), []);
      assert.equal(existsSync(folder), false);
    });
  }

  it('comes with SIGKILL: no server', { timeout: 60_000 }, async () => {
    const { parent, folder, pids } = await start({});
    assert.ok(pids.length >= 6);
    parent.kill('SIGKILL');
    await gone(pids);
    await run(['rm', '-rf', folder]);
  });

  it('comes when a test run is over: no server, no folder', async () => {
    const pids = await descendants(process.pid);
    assert.ok(pids.length >= 6);
    await sandbox[Symbol.asyncDispose]();
    assert.deepEqual(await running(pids), []);
    assert.equal(existsSync(sandbox.folder), false);
  });
});

it('has every package it needs', () => assert.deepEqual(missingPackages(), []));
