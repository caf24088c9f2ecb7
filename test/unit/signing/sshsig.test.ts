import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { after, suite, test } from 'node:test';
import fc from 'fast-check';
import { agentSigner, keySigner } from '../../../src/host/ssh/signers.ts';
import { checkSignature, SignatureError, signMessage } from '../../../src/signing/sshsig.ts';
import { wireString, wireUint32 } from '../../../src/signing/wire.ts';
import { KeyFolder, SshAgent } from '../../support/ssh-keygen.ts';

const folder = new KeyFolder();
after(() => folder[Symbol.dispose]());

const NAMESPACE = 'odoo-backup';
const MESSAGE = 'a message with é\nand two lines\n';

const types = [
  ['-t', 'ed25519'],
  ['-t', 'rsa', '-b', '3072'],
  ['-t', 'rsa', '-b', '2048'],
  ['-t', 'ecdsa', '-b', '256'],
  ['-t', 'ecdsa', '-b', '384'],
  ['-t', 'ecdsa', '-b', '521'],
] as const;
const keys = types.map((options) => folder.newKey(...options));
const [ed25519 = folder.newKey()] = keys;

/** Whether the signature counts here. */
function counts(signature: string, namespace = NAMESPACE, message = MESSAGE): boolean {
  try {
    checkSignature(signature, namespace, message);
    return true;
  } catch (error) {
    assert(error instanceof SignatureError, String(error));
    return false;
  }
}

suite('a signature of each type of key', () => {
  for (const [i, options] of types.entries()) {
    const key = keys[i] ?? ed25519;
    test(`${options.join(' ')}: ssh-keygen takes it, and its own is taken`, async () => {
      const signature = await signMessage(keySigner({ pem: key.pem }, 'ssh-key'), NAMESPACE, MESSAGE);
      assert(folder.isSignature(signature, NAMESPACE, MESSAGE));
      assert.equal(checkSignature(signature, NAMESPACE, MESSAGE).fingerprint, key.fingerprint);
      for (const hash of ['sha256', 'sha512']) {
        const theirs = folder.sign(key, NAMESPACE, MESSAGE, '-O', `hashalg=${hash}`);
        assert.equal(checkSignature(theirs, NAMESPACE, MESSAGE).fingerprint, key.fingerprint);
      }
    });

    test(`${options.join(' ')}: an agent signs as well`, async () => {
      using agent = new SshAgent(folder, [key]);
      const signature = await signMessage(await agentSigner(agent.socket), NAMESPACE, MESSAGE);
      assert(folder.isSignature(signature, NAMESPACE, MESSAGE));
      assert.equal(checkSignature(signature, NAMESPACE, MESSAGE).fingerprint, key.fingerprint);
    });
  }

  test('numbers of ECDSA may be short: a hundred signatures are all taken', async () => {
    for (const key of keys.slice(3)) {
      const signer = keySigner({ pem: key.pem }, 'ssh-key');
      for (let i = 0; i < 100; i += 1)
        assert(counts(await signMessage(signer, NAMESPACE, String(i)), NAMESPACE, String(i)));
    }
  });

  test('a key with a passphrase', async () => {
    const key = folder.newKey('-t', 'ed25519', '-N', 'secret words');
    const signer = keySigner({ pem: key.pem, passphrase: 'secret words' }, 'signing-key');
    assert(folder.isSignature(await signMessage(signer, NAMESPACE, MESSAGE), NAMESPACE, MESSAGE));
    assert.throws(() => keySigner({ pem: key.pem }, 'signing-key'), /^UserError: signing-key is encrypted$/);
  });

  test('an agent without keys', async () => {
    using agent = new SshAgent(folder, []);
    await assert.rejects(agentSigner(agent.socket), /The SSH agent holds no key that can sign/);
  });

  test('no agent', async () => {
    await assert.rejects(agentSigner(folder.file()), /The SSH agent does not answer/);
  });
});

suite('security keys, as OpenSSH’s PROTOCOL.u2f has them', () => {
  const application = 'ssh:';
  const digest = (data: string | Buffer) => createHash('sha256').update(data).digest();
  const armored = (parts: readonly (Buffer | string)[]) => {
    const bytes = Buffer.concat([Buffer.from('SSHSIG'), wireUint32(1), ...parts.map(wireString)]);
    const lines = bytes.toString('base64').match(/.{1,70}/g) ?? [];
    return `-----BEGIN SSH SIGNATURE-----\n${lines.join('\n')}\n-----END SSH SIGNATURE-----\n`;
  };
  /** What the device signs, and what stands behind the signature. */
  const tail = Buffer.from([1, 0, 0, 0, 7]);
  const hashed = createHash('sha512').update(MESSAGE).digest();
  const toSign = Buffer.concat([Buffer.from('SSHSIG'), ...[NAMESPACE, '', 'sha512', hashed].map(wireString)]);
  const signed = Buffer.concat([digest(application), tail, digest(toSign)]);

  test('ed25519-sk', () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const { x = '' } = publicKey.export({ format: 'jwk' });
    const type = 'sk-ssh-ed25519@openssh.com';
    const blob = Buffer.concat([type, Buffer.from(x, 'base64url'), application].map(wireString));
    const signature = Buffer.concat([wireString(type), wireString(sign(null, signed, privateKey)), tail]);
    const text = armored([blob, NAMESPACE, '', 'sha512', signature]);
    assert(folder.isSignature(text, NAMESPACE, MESSAGE));
    assert(counts(text));
    assert(!counts(text, NAMESPACE, `${MESSAGE}x`));
  });

  test('ecdsa-sk', () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
    const type = 'sk-ecdsa-sha2-nistp256@openssh.com';
    const point = Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
    const blob = Buffer.concat([type, 'nistp256', point, application].map(wireString));
    const raw = sign('sha256', signed, { key: privateKey, dsaEncoding: 'ieee-p1363' });
    const number = (bytes: Buffer) => wireString(Buffer.concat([Buffer.alloc((bytes[0] ?? 0) >> 7), bytes]));
    const pair = Buffer.concat([number(raw.subarray(0, 32)), number(raw.subarray(32))]);
    const signature = Buffer.concat([wireString(type), wireString(pair), tail]);
    const text = armored([blob, NAMESPACE, '', 'sha512', signature]);
    assert(folder.isSignature(text, NAMESPACE, MESSAGE));
    assert(counts(text));
    assert(!counts(text, NAMESPACE, `${MESSAGE}x`));
  });
});

suite('what does not count', () => {
  const signature = folder.sign(ed25519, NAMESPACE, MESSAGE);

  test('another message, another namespace', () => {
    assert(counts(signature));
    assert(!counts(signature, NAMESPACE, MESSAGE.slice(1)));
    assert(!counts(signature, 'file', MESSAGE));
    assert.throws(() => checkSignature(signature, 'file', MESSAGE), /^Error: was made for another purpose$/);
  });

  test('a short key of RSA', () => {
    const key = folder.newKey('-t', 'rsa', '-b', '1024');
    assert(!counts(folder.sign(key, NAMESPACE, MESSAGE)));
    assert.throws(
      () => keySigner({ pem: key.pem }, 'ssh-key'),
      /ssh-key cannot sign backups: it has 1024 bits/,
    );
  });

  test('any byte that is changed, anywhere in it', () => {
    for (const key of keys) {
      const text = folder.sign(key, NAMESPACE, MESSAGE);
      const bytes = Buffer.from(text.split('\n').slice(1, -2).join(''), 'base64');
      fc.assert(
        fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
          const changed = Buffer.from(bytes);
          changed[at] = (changed[at] ?? 0) ^ change;
          const lines = changed.toString('base64').match(/.{1,70}/g) ?? [];
          assert(
            !counts(
              ['-----BEGIN SSH SIGNATURE-----', ...lines, '-----END SSH SIGNATURE-----', ''].join('\n'),
            ),
          );
        }),
        { numRuns: 300 },
      );
    }
  });

  test('cut, or with something behind it', () => {
    fc.assert(
      fc.property(fc.nat(signature.length - 2), (length) => {
        assert(!counts(signature.slice(0, length)));
      }),
    );
    assert(!counts(`${signature}\nx`));
    assert(!counts(` ${signature}`));
  });

  test('any text at all', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => assert(!counts(text))));
  });
});
