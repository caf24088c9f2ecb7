import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import { canonicalJson } from '../../src/util/json.ts';
import { Scene } from '../support/backup-run.ts';
import { type KeyFile, KeyFolder, SshAgent } from '../support/ssh-keygen.ts';

suite('a backup is signed', { concurrency: false }, () => {
  let scene: Scene;
  let keys: KeyFolder;
  before(async () => {
    scene = await Scene.open();
    keys = new KeyFolder();
  });
  after(async () => {
    keys?.[Symbol.dispose]();
    await scene?.[Symbol.asyncDispose]();
  });

  const bare = { format: 'custom', filestore: 'false' };

  /** ssh-keygen takes the signature of the receipt, for this key. */
  function assertSigned(receipt: object, { publicKey }: Pick<KeyFile, 'publicKey'>): void {
    const { signature = '', proofs: _, ...rest } = receipt as { signature?: string; proofs: object[] };
    const list = { allowed: `ci namespaces="odoo-backup" ${publicKey}`, principal: 'ci' };
    assert.ok(keys.verifies(list, { signature, namespace: 'odoo-backup', message: canonicalJson(rest) }));
  }

  const kinds: readonly (readonly string[])[] = [
    ['-t', 'rsa', '-b', '3072'],
    ['-t', 'ecdsa'],
    ['-t', 'ed25519', '-N', 'some words'],
  ];
  for (const kind of kinds) {
    test(`by signing-key: ${kind.join(' ')}`, async () => {
      const key = keys.newKey(...kind);
      const passphrase = kind.includes('-N') ? { 'ssh-key-passphrase': 'some words' } : {};
      const { receipt, log, object } = await scene.backup({ ...bare, 'signing-key': key.pem, ...passphrase });
      assertSigned(receipt, key);
      assert.ok(log.includes(`Signs with the key ${key.fingerprint}`), log);
      assert.ok(log.includes(`with ${key.fingerprint}`), log);
      const [name = ''] = Object.keys(receipt.sums ?? {});
      assert.equal(receipt.sums?.[name], createHash('sha256').update(object).digest('hex'));
    });
  }

  test('by the key that logs in, from an agent', async () => {
    const { plain } = scene.sandbox.keys;
    const key = keys.existing(plain);
    using agent = new SshAgent(keys, [key]);
    const { receipt } = await scene.backup({ ...bare, 'ssh-key': '' }, { SSH_AUTH_SOCK: agent.socket });
    assertSigned(receipt, key);
  });

  test('by the key that logs in; every dump, manifest.json and backup.json has its sum', async () => {
    const { receipt } = await scene.backup();
    assertSigned(receipt, keys.existing(scene.sandbox.keys.plain));
    const names = Object.keys(receipt.sums ?? {}).map((name) => name.replace(/^.*\.dump$/, '*.dump'));
    assert.deepEqual(names.sort(), ['*.dump', 'backup.json', 'dump.sql', 'manifest.json']);
    assert.match(receipt.directory?.sha256 ?? '', /^[0-9a-f]{64}$/);
  });
});
