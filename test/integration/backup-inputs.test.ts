import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { Scene } from '../support/backup-run.ts';
import { kmsKeyId } from '../support/ceph.ts';
import { startS3Proxy } from '../support/s3-proxy.ts';
import { startAgent } from '../support/sshd.ts';

/** Each part is tested where it lies; here, that the inputs reach it. */
suite('inputs take a backup', () => {
  let scene: Scene;
  before(async () => {
    scene = await Scene.open();
  });
  after(() => scene?.[Symbol.asyncDispose]());

  const quick = { format: 'custom', filestore: 'false' } as const;

  test('through a jump host, with known_hosts and an encrypted key', async () => {
    const { jump, keys } = scene.sandbox;
    const inputs = {
      'ssh-jump': `${jump.user}@${jump.host}:${jump.port}`,
      'ssh-known-hosts': scene.ssh.knownHosts + jump.knownHosts,
      'ssh-fingerprint': '',
      'ssh-key': keys.encrypted,
      'ssh-key-passphrase': keys.passphrase,
    };
    const made = await scene.backup({ ...quick, ...inputs });
    assert.ok(!made.log.includes(keys.passphrase));
    await scene.fails({ ...inputs, 'ssh-key-passphrase': 'wrong' }, 2, /ssh-key/);
  });

  test('with the key of an agent', async () => {
    await using agent = await startAgent(scene.sandbox, scene.sandbox.keys.plain);
    await scene.backup({ ...quick, 'ssh-key': '' }, { SSH_AUTH_SOCK: agent.socket });
  });

  test('under a prefix, into a storage class', async () => {
    const made = await scene.backup({ ...quick, 's3-prefix': 'odoo/eu', 'storage-class': 'STANDARD_IA' });
    assert.match(made.receipt.key, /^odoo\/eu\/acme\/backups\/prod_/);
    assert.equal(made.head.StorageClass, 'STANDARD_IA');
  });

  test('encrypted by a KMS key; where the server then reports no MD5s, the summary says what was proven', async () => {
    const encrypted = { sse: 'aws:kms', 'kms-key-id': kmsKeyId } as const;
    const made = await scene.backup({ ...quick, ...encrypted });
    assert.equal(made.head.ServerSideEncryption, 'aws:kms');
    assert.match(made.log, /^Verified +upload: size and MD5 of every part$/m);

    const other = { kind: 'etag', value: '"00000000000000000000000000000000"' } as const;
    await using proxy = await startS3Proxy(scene.sandbox.s3, [
      { when: ({ method, path }) => method === 'PUT' && path.endsWith('.dump'), fault: other },
    ]);
    const blind = await scene.backup({ ...quick, ...encrypted, 's3-endpoint': proxy.endpoint });
    assert.equal(blind.receipt.upload.proof, 'content-md5');
    assert.match(blind.log, /^Verified +upload: size and every part sent with its MD5$/m);
    assert.match(blind.log, /in 1 part: each was sent with its MD5$/m);
  });
});
