import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { grow } from '../support/growth.ts';
import { assertNothingRuns, processesOf } from '../support/leftovers.ts';
import { createOdoo } from '../support/odoo.ts';
import { openssh } from '../support/openssh.ts';
import { missingPackages, packages } from '../support/packages.ts';
import { psql } from '../support/postgres.ts';
import { run } from '../support/processes.ts';
import { startRootedHost } from '../support/rooted-host.ts';
import { useSandbox } from '../support/sandbox.ts';
import { startAgent, startOwnSshd } from '../support/sshd.ts';

const sandbox = useSandbox();

describe('SSH', () => {
  it('lets in the client key, into a TMPDIR of its own', async () => {
    const login = await openssh(sandbox, sandbox.ssh, '-i', sandbox.keys.plain);
    assert.equal(
      await run([...login, 'echo "$(id -un) $TMPDIR"']),
      `${sandbox.account.name} ${sandbox.ssh.tmp}\n`,
    );
  });

  it('lets in the key with a passphrase', async () => {
    const askpass = join(sandbox.folder, 'askpass');
    await writeFile(askpass, `#!/bin/sh\necho '${sandbox.keys.passphrase}'\n`);
    await chmod(askpass, 0o755);
    const login = await openssh(sandbox, sandbox.ssh, '-o', 'BatchMode=no', '-i', sandbox.keys.encrypted);
    const env = { SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: 'force' };
    assert.equal(await run([...login, 'echo in'], { env }), 'in\n');
    await assert.rejects(
      run([...login, 'echo in'], { env: { ...env, SSH_ASKPASS: '/bin/false' } }),
      /Permission denied/,
    );
  });

  it('lets in through the agent', async () => {
    await using agent = await startAgent(sandbox, sandbox.keys.plain);
    const login = await openssh(sandbox, sandbox.ssh);
    assert.equal(await run([...login, 'echo in'], { env: { SSH_AUTH_SOCK: agent.socket } }), 'in\n');
    await assert.rejects(run([...login, 'echo in'], { env: { SSH_AUTH_SOCK: '' } }), /Permission denied/);
  });

  it('refuses the unknown key', async () => {
    const login = await openssh(sandbox, sandbox.ssh, '-i', sandbox.keys.unknown);
    await assert.rejects(run([...login, 'true']), /Permission denied/);
  });

  it('forwards through the jump host, which has other host keys', async () => {
    const jump = await openssh(
      sandbox,
      sandbox.jump,
      '-i',
      sandbox.keys.plain,
      '-W',
      `127.0.0.1:${sandbox.ssh.port}`,
    );
    const login = await openssh(
      sandbox,
      sandbox.ssh,
      '-i',
      sandbox.keys.plain,
      '-o',
      `ProxyCommand=${jump.join(' ')}`,
    );
    assert.equal(await run([...login, 'echo through']), 'through\n');
    const mistaken = await openssh(sandbox, { ...sandbox.jump, knownHosts: sandbox.ssh.knownHosts });
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
    const login = await openssh(sandbox, sandbox.ssh, '-i', sandbox.keys.plain);
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

describe('What is left on the host', () => {
  it('is seen: sessions, orphans, files, database sessions', async () => {
    await using own = await startOwnSshd(sandbox);
    await using odoo = await createOdoo(sandbox);
    const login = await openssh(sandbox, own, '-i', sandbox.keys.plain);
    await assertNothingRuns(own, sandbox.postgres, odoo.database);

    const orphan = Number(await run([...login, 'setsid sleep 1000 >/dev/null 2>&1 & echo $!']));
    assert.ok((await processesOf(own)).some((found) => found.startsWith(`${orphan} `)));
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
    const login = await openssh(sandbox, host, '-i', sandbox.keys.plain);
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
    const login = await openssh(sandbox, host, '-i', sandbox.keys.plain);
    assert.equal(await run([...login, 'sudo -n -u odoo id -un']), 'odoo\n');
    await assert.rejects(run([...login, 'sudo -n -u postgres id -un']), /a password is required/);
  });
});

it('has every package it needs', () => assert.deepEqual(missingPackages(packages), []));
