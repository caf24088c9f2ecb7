import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, suite, test } from 'node:test';
import fc from 'fast-check';
import type { Proof } from '../../../src/catalog/proofs.ts';
import { acceptedShrink, failedProof, levelOf, pinOf, storedProof } from '../../../src/catalog/proofs.ts';
import { parseReceipt } from '../../../src/catalog/receipt.ts';
import {
  type Authorship,
  checkAuthorship,
  signProof,
  signReceipt,
  type TrustedSigners,
  whyNotTrusted,
} from '../../../src/catalog/signatures.ts';
import { keySigner } from '../../../src/host/ssh/signers.ts';
import { parseAllowedSigners } from '../../../src/signing/allowed-signers.ts';
import { canonicalJson } from '../../../src/util/json.ts';
import { sampleReceipt } from '../../support/sample-receipt.ts';
import { KeyFolder } from '../../support/ssh-keygen.ts';

const folder = new KeyFolder();
after(() => folder[Symbol.dispose]());
const [us, other] = [folder.newKey('-t', 'ed25519'), folder.newKey('-t', 'ecdsa')];
const [signer, stranger] = [us, other].map((key) => keySigner({ pem: key.pem }, 'signing-key')) as [
  ReturnType<typeof keySigner>,
  ReturnType<typeof keySigner>,
];
const listOf = (line: string): TrustedSigners => parseAllowedSigners(line, 'trusted-signers');
const signers = listOf(`ci namespaces="odoo-backup" ${us.publicKey}`);

// biome-ignore lint/suspicious/noExplicitAny: JSON of which every value may be wrong
type Json = any;
const copy = (value: unknown): Json => JSON.parse(JSON.stringify(value));

const signed = copy(await signReceipt(sampleReceipt, signer));
const contents: Proof = { level: 'contents', at: '2026-03-01T00:00:00Z', tool: sampleReceipt.tool };
const raised = copy({ ...signed, proofs: [...signed.proofs, await signProof(contents, signed, signer)] });

const ANYBODY = undefined;
const check = (value: Json, trusted: TrustedSigners, storedAt?: Date) =>
  checkAuthorship(copy(value), parseReceipt(copy(value), 'here'), trusted, storedAt);
const why = (authorship: Authorship) => whyNotTrusted(authorship, signers);

suite('a receipt that was signed', () => {
  test('counts, and so do its proofs', () => {
    const { receipt, authorship } = check(raised, signers);
    assert.deepEqual(authorship, { kind: 'signed', fingerprint: us.fingerprint, principals: 'ci' });
    assert.equal(levelOf(receipt), 'contents');
    assert.deepEqual(check(raised, ANYBODY).authorship, { ...authorship, principals: undefined });
  });

  test('also for a level that older programs know nothing of', async () => {
    const boot = await signProof(storedProof({ ...contents, level: 'boot' }), raised, signer);
    const booted = copy({ ...raised, proofs: [...raised.proofs, boot] });
    assert.equal(levelOf(check(booted, signers).receipt), 'boot');
    delete booted.proofs.at(-1).booted;
    assert.equal(levelOf(check(booted, signers).receipt), 'contents');
  });

  test('may be written in another order, with other white space', () => {
    const reversed = Object.fromEntries(Object.entries(raised).reverse());
    assert.equal(why(check(reversed, signers).authorship), ANYBODY);
  });

  test('with a field of a newer version, which is signed too', async () => {
    const newer = copy(
      await signReceipt({ ...sampleReceipt, paired: 'yes' } as typeof sampleReceipt, signer),
    );
    assert.equal(why(check(newer, signers).authorship), ANYBODY);
    assert.equal(
      why(check({ ...newer, paired: 'no' }, signers).authorship),
      'has a signature that does not fit what it says',
    );
  });

  test('by jq and ssh-keygen alone', () => {
    const statement = execFileSync('jq', ['-cjS', 'del(.proofs, .signature)'], {
      input: JSON.stringify(raised, null, 2),
    });
    const list = { allowed: `ci namespaces="odoo-backup" ${us.publicKey}`, principal: 'ci' };
    const { signature } = raised;
    assert(folder.verifies(list, { signature, namespace: 'odoo-backup', message: statement.toString() }));
  });
});

suite('what is changed in it', () => {
  const fields = Object.keys(signed).filter((name) => name !== 'proofs' && name !== 'signature');

  test('any field, taken from another receipt, or left out', () => {
    for (const name of fields) {
      const { [name]: _, ...without } = signed;
      let verdict: string | undefined;
      try {
        verdict = why(check(without, signers).authorship);
      } catch {
        continue; // no receipt any more
      }
      assert.match(verdict ?? '', /does not fit what it says/, name);
    }
    const changes = {
      database: 'other',
      customer: 'other',
      key: 'x/backups/o_2026-01-01_00-00-00.zip',
      bucket: 'other',
    };
    for (const [name, value] of Object.entries(changes)) {
      assert.match(why(check({ ...signed, [name]: value }, signers).authorship) ?? '', /does not fit/, name);
    }
  });

  test('something added', () => {
    assert.match(why(check({ ...signed, more: 1 }, signers).authorship) ?? '', /does not fit/);
    assert.match(
      why(check({ ...signed, counts: { ...signed.counts, more: 1 } }, signers).authorship) ?? '',
      /does not fit/,
    );
  });

  test('the signature left out: it counts where nobody is named, and nowhere else', () => {
    const { signature: _, ...bare } = raised;
    assert.deepEqual(check(bare, signers).authorship, { kind: 'unsigned' });
    assert.equal(why(check(bare, signers).authorship), 'is not signed');
    assert.equal(whyNotTrusted(check(bare, ANYBODY).authorship, ANYBODY), ANYBODY);
  });

  test('damage is found where nobody is named, too', () => {
    const { authorship } = check({ ...signed, size: 1 }, ANYBODY);
    assert.equal(whyNotTrusted(authorship, ANYBODY), 'has a signature that does not fit what it says');
  });

  test('signed by somebody else', async () => {
    const theirs = copy(await signReceipt(sampleReceipt, stranger));
    assert.match(
      why(check(theirs, signers).authorship) ?? '',
      /^is signed with a key that is not in the list of trusted signers: SHA256:/,
    );
    assert.equal(levelOf(check(theirs, signers).receipt), ANYBODY);
    assert.equal(whyNotTrusted(check(theirs, ANYBODY).authorship, ANYBODY), ANYBODY);
  });

  test('for another purpose: a signature of a file with the same bytes', () => {
    const { signature: _, proofs: __, ...rest } = signed;
    const signature = folder.sign(us, 'file', canonicalJson(rest));
    assert.equal(
      why(check({ ...signed, signature }, signers).authorship),
      'has a signature that was made for another purpose',
    );
  });

  test('the signature of a proof is none of a receipt', () => {
    const [{ signature }] = signed.proofs;
    assert.match(why(check({ ...signed, signature }, signers).authorship) ?? '', /does not fit/);
  });
});

suite('proofs', () => {
  const failed: Proof = { ...contents, at: '2026-04-01T00:00:00Z', failure: 'it is damaged' };
  const levelsOf = (value: Json) => check(value, signers).receipt.proofs.map(({ level }) => level);

  test('one that is not signed is no proof that it passed, where signers are named', () => {
    const value = { ...signed, proofs: [...signed.proofs, contents] };
    assert.equal(levelOf(check(value, signers).receipt), 'upload');
    assert.equal(levelOf(check(value, ANYBODY).receipt), 'contents');
  });

  test('one that is not signed is a proof that it failed', () => {
    const { receipt } = check({ ...raised, proofs: [...raised.proofs, failed] }, signers);
    assert.equal(failedProof(receipt)?.failure, 'it is damaged');
    assert.equal(failedProof(receipt)?.signature, ANYBODY);
  });

  test('a remark that is not signed says nothing, also where it stands in a failure', async () => {
    const pin = await signProof({ ...contents, remark: { kind: 'pin', reason: 'audit' } }, signed, signer);
    const kept = copy({ ...signed, proofs: [...signed.proofs, pin] });
    for (const said of [{}, { failure: 'it is damaged' }, { failure: 'it is damaged', unrestorable: true }]) {
      for (const kind of ['unpin', 'accept-shrink'] as const) {
        const remark = { ...contents, ...said, remark: { kind, reason: 'planted' } };
        const { receipt } = check({ ...kept, proofs: [...kept.proofs, remark] }, signers);
        assert.equal(pinOf(receipt), 'audit');
        assert.equal(acceptedShrink(receipt), ANYBODY);
        assert.equal(levelOf(receipt), 'upload');
      }
    }
  });

  test('one whose signature was made up is as one without', () => {
    const [{ signature }] = signed.proofs;
    const { receipt } = check({ ...raised, proofs: [...raised.proofs, { ...failed, signature }] }, signers);
    assert.equal(failedProof(receipt)?.signature, ANYBODY);
  });

  test('a pass that is not signed takes no failure back', () => {
    const later = { ...contents, at: '2026-05-01T00:00:00Z' };
    assert.equal(
      levelOf(check({ ...raised, proofs: [...raised.proofs, failed, later] }, signers).receipt),
      ANYBODY,
    );
  });

  test('one of another receipt', async () => {
    const another = copy(await signReceipt({ ...sampleReceipt, size: 99 }, signer));
    const theirs = copy(await signProof(contents, another, signer));
    assert.deepEqual(levelsOf({ ...signed, proofs: [...signed.proofs, theirs] }), ['upload']);
  });

  test('in another order, or with one left out before: what follows does not count', () => {
    const [first, second] = raised.proofs;
    assert.deepEqual(levelsOf({ ...raised, proofs: [second, first] }), []);
    assert.deepEqual(levelsOf({ ...raised, proofs: [second] }), []);
    assert.deepEqual(levelsOf({ ...raised, proofs: [first, first, second] }), ['upload']);
  });

  test('a failure that was signed cannot be left out from before a pass', async () => {
    const withFailure = copy({
      ...raised,
      proofs: [...raised.proofs, await signProof(failed, raised, signer)],
    });
    const upload = { ...sampleReceipt.proofs[0], at: '2026-06-01T00:00:00Z' } as Proof;
    const last = copy(await signProof(upload, withFailure, signer));
    const [first, second] = raised.proofs;
    assert.equal(
      failedProof(check({ ...withFailure, proofs: [...withFailure.proofs, last] }, signers).receipt)?.failure,
      'it is damaged',
    );
    assert.deepEqual(levelsOf({ ...withFailure, proofs: [first, second, last] }), ['upload', 'contents']);
  });

  test('any change of a proof', () => {
    const [first, second] = raised.proofs;
    for (const change of [
      { level: 'restore' },
      { at: '2026-03-02T00:00:00Z' },
      { seconds: 1 },
      { more: 1 },
    ]) {
      assert.deepEqual(levelsOf({ ...raised, proofs: [first, { ...second, ...change }] }), ['upload']);
    }
  });
});

suite('a line that is valid for some time', () => {
  const until = listOf(`ci valid-before="20260301Z" ${us.publicKey}`);
  test('a backup of that time counts for ever, where S3 has stored it in that time', () => {
    const { authorship } = check(signed, until, new Date('2026-02-03T04:06:00Z'));
    assert.equal(whyNotTrusted(authorship, until), ANYBODY);
  });

  test('one that was stored later does not, whatever date it has', () => {
    const { authorship } = check(signed, until, new Date('2026-03-02T00:00:00Z'));
    assert.match(whyNotTrusted(authorship, until) ?? '', /a key that was not valid any more/);
  });
});

test('canonical JSON is what another program writes', () => {
  const script = `import json, sys
for value in json.load(sys.stdin):
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    sys.stdout.buffer.write(text.encode() + b"\\n")`;
  const value = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 3 }));
  // Many values for one start of that program.
  fc.assert(
    fc.property(fc.array(value, { minLength: 25, maxLength: 50 }), (values) => {
      const theirs = execFileSync('python3', ['-c', script], { input: JSON.stringify(values) }).toString();
      const written = theirs.split('\n').slice(0, -1);
      assert.equal(written.length, values.length);
      for (const [i, value] of values.entries()) {
        const ours = canonicalJson(copy(value));
        if (/\d[.e]|\d{16}|-0/.test(ours) || /\x7f/.test(ours)) continue; // no receipt holds these
        assert.equal(ours, written[i]);
      }
    }),
    { numRuns: 2 },
  );
});
