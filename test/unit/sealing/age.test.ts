import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { inflateSync } from 'node:zlib';
import { Decrypter, Encrypter, generateHybridIdentity, identityToRecipient } from 'age-encryption';
import * as vectors from 'cctv-age';
import fc from 'fast-check';
import { openedSize, sealedSize } from '../../../src/sealing/chunks.ts';
import { type Identities, readIdentities } from '../../../src/sealing/identities.ts';
import { type Recipients, readRecipients } from '../../../src/sealing/recipients.ts';
import { open, openWhole, seal, sealWhole } from '../../../src/sealing/stream.ts';
import { recipientText, x25519Identity } from '../../../src/sealing/x25519.ts';
import { ContentError } from '../../../src/util/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'sealing-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A key by `age-keygen`: the path of its file, and both halves. */
function newKey(name: string) {
  const path = join(folder, name);
  execFileSync('age-keygen', ['-o', path], { stdio: 'ignore' });
  const text = readFileSync(path, 'utf8');
  return { path, text, recipient: /age1\w+/.exec(text)?.[0] ?? '' };
}

const [team, safe, stranger] = [newKey('team'), newKey('safe'), newKey('stranger')];
const recipients = await readRecipients([team.recipient, safe.recipient]);
const [ofTeam, ofSafe, ofStranger] = [team, safe, stranger].map(({ text }) => readIdentities(text)) as [
  Identities,
  Identities,
  Identities,
];

async function* pieces(bytes: Buffer, length = 100_000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

async function all(source: AsyncIterable<Buffer>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(source));
}

const sealed = (content: Buffer, to: Recipients = recipients) => all(seal(pieces(content), to));
const opened = (bytes: Buffer, by: Identities = ofTeam, length?: number) =>
  all(open(pieces(bytes, length), by, 'dump.sql.age'));

const CHUNK = 65_536;
const sizes = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK - 1, 2 * CHUNK, 2 * CHUNK + 1, 5 * CHUNK + 7];

suite('the programs and the package open what is sealed here, and the other way round', () => {
  for (const size of sizes) {
    test(`${size} bytes`, async () => {
      const content = randomBytes(size);
      const bytes = await sealed(content);
      const path = join(folder, `sealed-${size}`);
      writeFileSync(path, await sealWhole(content, recipients));
      assert(execFileSync('age', ['-d', '-i', team.path, path], { maxBuffer: 2 ** 24 }).equals(content));
      assert((await openWhole(bytes, ofSafe, 'x')).equals(content));
      writeFileSync(path, bytes);
      for (const key of [team, safe]) {
        assert(execFileSync('age', ['-d', '-i', key.path, path], { maxBuffer: 2 ** 24 }).equals(content));
      }
      const decrypter = new Decrypter();
      decrypter.addIdentity(safe.text.split('\n')[2] ?? '');
      assert(Buffer.from(await decrypter.decrypt(bytes)).equals(content));

      const options = { input: content, maxBuffer: 2 ** 24 };
      const theirs = execFileSync('age', ['-r', stranger.recipient, '-r', team.recipient], options);
      assert((await opened(theirs)).equals(content));
      const encrypter = new Encrypter();
      encrypter.addRecipient(team.recipient);
      assert((await opened(Buffer.from(await encrypter.encrypt(content)))).equals(content));
    });

    test(`${size} bytes: their size is known before`, async () => {
      const bytes = await sealed(randomBytes(size));
      assert.equal(sealedSize(size, recipients.headerLength), bytes.length);
      assert.equal(openedSize(bytes.length, recipients.headerLength), size);
    });
  }

  test('recipients after quanta, by the package', async () => {
    const identity = await generateHybridIdentity();
    const both = await readRecipients([await identityToRecipient(identity), team.recipient]);
    const content = randomBytes(CHUNK + 1);
    const bytes = await sealed(content, both);
    assert.equal(bytes.length, sealedSize(content.length, both.headerLength));
    assert((await opened(bytes, readIdentities(identity))).equals(content));
    assert((await opened(bytes)).equals(content));
    await assert.rejects(opened(await sealed(content), readIdentities(identity)), /is sealed for other keys/);
  });

  test('the recipient of an identity', () => {
    assert.equal(recipientText(x25519Identity(team.text.split('\n')[2] ?? '').recipient), team.recipient);
  });
});

suite('the vectors of the specification (C2SP/CCTV)', () => {
  for (const [name, vector] of Object.entries(vectors)) {
    const text = Buffer.from(vector);
    const end = text.indexOf('\n\n');
    const fields = new Map(
      text
        .subarray(0, end)
        .toString()
        .split('\n')
        .map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]),
    );
    const identity = fields.get('identity');
    // Armor and passphrases are for people: nothing here reads them.
    if (!identity || fields.has('armored') || fields.has('passphrase')) continue;
    test(name, async () => {
      const body = text.subarray(end + 2);
      const file = fields.get('compressed') === 'zlib' ? inflateSync(body) : body;
      const expected = fields.get('expect');
      const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
      if (expected === 'success') {
        assert.equal(sha256(await opened(file, readIdentities(identity))), fields.get('payload'));
        assert.equal(sha256(await openWhole(file, readIdentities(identity), 'x')), fields.get('payload'));
        return;
      }
      await assert.rejects(opened(file, readIdentities(identity)), ContentError);
    });
  }
});

suite('what was changed is found', () => {
  const content = randomBytes(3 * CHUNK + 100);

  async function isRefused(bytes: Buffer): Promise<void> {
    await assert.rejects(opened(bytes), ContentError);
  }

  test('one bit, in every byte of header and nonce, and anywhere in the payload', async () => {
    const bytes = await sealed(content);
    const start = recipients.headerLength + 16;
    const places = [
      ...Array.from({ length: start }, (_, at) => at),
      ...Array.from({ length: 60 }, () => start + Math.floor(Math.random() * (bytes.length - start))),
      ...[0, 1, 2, 3].flatMap((chunk) => [start + chunk * (CHUNK + 16), start + chunk * (CHUNK + 16) - 1]),
      bytes.length - 1,
    ];
    for (const at of places) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      await isRefused(changed);
    }
  });

  test('cut anywhere, or longer', async () => {
    const bytes = await sealed(content);
    const start = recipients.headerLength + 16;
    const cuts = [0, 1, 30, start - 17, start - 1, start, start + 15, start + 16, start + CHUNK + 16];
    for (const length of [...cuts, start + 2 * (CHUNK + 16), start + 3 * (CHUNK + 16), bytes.length - 1]) {
      await isRefused(bytes.subarray(0, length));
    }
    await isRefused(Buffer.concat([bytes, Buffer.from([0])]));
    await isRefused(Buffer.concat([bytes, bytes.subarray(-116)]));
  });

  test('chunks in another order, twice, left out, or of another file', async () => {
    const [bytes, other] = [await sealed(content), await sealed(content)];
    const start = recipients.headerLength + 16;
    const chunk = (of: Buffer, i: number) =>
      of.subarray(start + i * (CHUNK + 16), start + (i + 1) * (CHUNK + 16));
    const file = (...parts: Buffer[]) => Buffer.concat([bytes.subarray(0, start), ...parts]);
    const [a, b, c, d] = [0, 1, 2, 3].map((i) => chunk(bytes, i)) as [Buffer, Buffer, Buffer, Buffer];
    assert((await opened(file(a, b, c, d))).equals(content));
    for (const parts of [
      [b, a, c, d],
      [a, a, c, d],
      [a, c, d],
      [a, b, d],
      [a, b, c],
      [a, b, chunk(other, 2), d],
    ]) {
      await isRefused(file(...parts));
    }
    await isRefused(Buffer.concat([other.subarray(0, start - 16), bytes.subarray(start - 16)]));
  });

  test('the keys of somebody else', async () => {
    await assert.rejects(opened(await sealed(content), ofStranger), /is sealed for other keys than the one/);
    assert((await opened(await sealed(content), ofSafe)).equals(content));
  });

  test('any bytes at all', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => isRefused(Buffer.from(bytes))),
    );
  });

  test('a header that never ends is not held', async () => {
    let given = 0;
    const endless = async function* () {
      yield Buffer.from('age-encryption.org/v1\n');
      for (;;) {
        given += 1;
        yield Buffer.alloc(1024, 'a');
      }
    };
    await assert.rejects(all(open(endless(), ofTeam, 'x')), /its header has no end/);
    assert(given < 100);
  });
});

suite('reading', () => {
  const content = randomBytes(4 * CHUNK + 9);

  test('a stream in pieces of any length', async () => {
    const bytes = await sealed(content);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 50, max: 3 * CHUNK }), async (length) => {
        assert((await opened(bytes, ofTeam, length)).equals(content));
      }),
      { numRuns: 20 },
    );
  });
});

suite('keys that cannot be read', () => {
  test('recipients', async () => {
    const wrong = [
      '',
      'age1',
      team.recipient.slice(0, -1),
      `${team.recipient.slice(0, -1)}q`,
      'ssh-ed25519 AAAA',
    ];
    for (const name of [...wrong, team.recipient.toUpperCase()]) {
      await assert.rejects(readRecipients([team.recipient, name]), (error: Error) => {
        assert(error.message.startsWith(`${name} is no recipient of age: `), error.message);
        return true;
      });
    }
    await assert.rejects(readRecipients([]), /there is no recipient/);
  });

  test('identities, which no message repeats', () => {
    const identity = team.text.split('\n')[2] ?? '';
    const wrong = [
      identity.slice(0, -1),
      `${identity.slice(0, -1)}Q`,
      identity.toLowerCase(),
      `x${identity}`,
      team.recipient,
    ];
    for (const text of [...wrong, 'AGE-SECRET-KEY-PQ-1QQQQ', 'AGE-PLUGIN-YUBIKEY-1QQQ']) {
      assert.throws(
        () => readIdentities(`# comment\n${text}`),
        (error: Error) => {
          assert.match(error.message, /^line 2 is no identity of age: /);
          assert(!error.message.includes(text.slice(20)) || text.length < 30, error.message);
          return true;
        },
      );
    }
    assert.throws(() => readIdentities('# nothing\n'), /it holds no identity/);
  });
});
