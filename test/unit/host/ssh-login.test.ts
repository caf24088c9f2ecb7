import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { algorithmMismatch, parseOffer } from '../../../src/host/ssh/algorithms.ts';
import { loginError } from '../../../src/host/ssh/login.ts';

const hop = { user: 'deploy', host: 'h', port: 22 };
const answers = {
  refusals: 1,
  partial: false,
  methods: ['publickey'],
  signatures: undefined,
  useSha512() {},
};

suite('a refused login is told', () => {
  const rsa = { byAgent: false, keys: () => [{ type: 'ssh-rsa' as const }] };
  const ed25519 = { byAgent: false, keys: () => [{ type: 'ssh-ed25519' as const }] };

  test('by the signatures that the host names', () => {
    const old = { ...answers, signatures: ['ssh-rsa', 'ssh-dss'] };
    assert.match(
      loginError(undefined, hop, rsa, { answers: old, cut: false }).message,
      /SHA-1 signatures only.*offers ssh-rsa, ssh-dss/,
    );
    assert.match(
      loginError(undefined, hop, ed25519, { answers: old, cut: false }).message,
      /refused the key/,
    );
  });

  test('with the way to newer signatures where the host names none', () => {
    assert.match(loginError(undefined, hop, rsa, { answers, cut: false }).hint, /older than OpenSSH 7\.2/);
    assert.doesNotMatch(loginError(undefined, hop, ed25519, { answers, cut: false }).hint, /7\.2/);
  });
});

suite('what a server offers', () => {
  const list = (names: string) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(names.length);
    return Buffer.concat([length, Buffer.from(names, 'latin1')]);
  };
  const kexinit = (...lists: string[]) => {
    const payload = Buffer.concat([Buffer.from([20]), Buffer.alloc(16), ...lists.map(list), Buffer.alloc(5)]);
    const head = Buffer.alloc(5);
    head.writeUInt32BE(payload.length + 1 + 4);
    head[4] = 4;
    return Buffer.concat([head, payload, Buffer.alloc(4)]);
  };
  const offer = kexinit('k1,k2', 'h1', 'c1', 'c2', 'm1', 'm2,m\x1b3', 'none', 'none', '', '');
  const greeting = Buffer.from('a line of text\r\nSSH-2.0-x\r\n');
  const said = Buffer.concat([greeting, offer, Buffer.from('more')]);

  test('is read as it comes', () => {
    assert.deepEqual(parseOffer(said), {
      kex: ['k1', 'k2'],
      serverHostKey: ['h1'],
      cipher: ['c1'],
      hmac: ['m1'],
    });
  });

  test('is nothing where it is cut or of another form', () => {
    for (let length = 0; length < greeting.length + offer.length; length++)
      assert.equal(parseOffer(said.subarray(0, length)), undefined);
    const long = Buffer.from(said);
    long.writeUInt32BE(0xffffffff, greeting.length + 6 + 16); // a list that is longer than its packet
    assert.equal(parseOffer(long), undefined);
    assert.equal(parseOffer(Buffer.alloc(65536, '\n')), undefined);
  });

  test('is bounded', () => {
    const kex = Array.from({ length: 1000 }, (_, i) => `algorithm-${i}`);
    const found = algorithmMismatch({ kex, serverHostKey: [], cipher: [], hmac: [] });
    assert.ok((found?.what.length ?? 1000) < 400);
  });
});
