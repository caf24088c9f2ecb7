import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  atLeast,
  decodeProof,
  failedProof,
  type Level,
  levelOf,
  levels,
  type Proof,
  recoverySeconds,
  restoreSeconds,
  storedProof,
} from '../../../src/catalog/proofs.ts';

/** `contents` passed, `contents!` failed. */
const proofs = (...words: string[]): Proof[] =>
  words.map((word, day) => ({
    level: word.replace('!', '') as Level,
    at: `2026-01-0${day + 1}T00:00:00.000Z`,
    tool: { name: 'odoo-backup-action', version: '0.1.0' },
    ...(word.endsWith('!') ? { failure: `broken on day ${day + 1}` } : {}),
  }));

const cases: [words: string[], level: Level | undefined][] = [
  [[], undefined],
  [['upload'], 'upload'],
  [['upload', 'contents'], 'contents'],
  [['upload', 'restore'], 'restore'],
  [['upload', 'restore', 'contents'], 'restore'],
  [['upload', 'restore', 'upload'], 'restore'],
  [['upload!'], undefined],
  [['upload', 'contents!'], undefined],
  [['upload', 'restore', 'contents!'], undefined],
  [['upload', 'contents!', 'upload'], undefined],
  [['upload', 'contents!', 'contents'], 'contents'],
  [['upload', 'contents!', 'restore'], 'restore'],
  [['upload', 'restore!', 'contents'], undefined],
  [['upload', 'restore', 'contents!', 'contents'], 'restore'],
  [['upload', 'contents!', 'contents', 'contents!'], undefined],
  [['upload', 'restore!', 'contents!', 'contents'], undefined],
  [['upload', 'restore', 'boot'], 'boot'],
  [['upload', 'boot', 'restore'], 'boot'],
  [['upload', 'restore!', 'boot'], 'boot'],
  [['upload', 'boot', 'restore!'], undefined],
];

describe('the level of a receipt', () => {
  for (const [words, level] of cases) {
    test(`with the proofs [${words.join(', ')}] is ${level ?? 'none'}`, () => {
      assert.equal(levelOf({ proofs: proofs(...words) }), level);
      const failed = words.some((word) => word.endsWith('!'));
      if (level || !failed) assert.equal(failedProof({ proofs: proofs(...words) }), undefined);
      else assert.match(failedProof({ proofs: proofs(...words) })?.failure ?? '', /broken/);
    });
  }

  test('is at least every one before it', () => {
    for (const [have, level] of levels.entries()) {
      for (const [want, required] of levels.entries()) assert.equal(atLeast(level, required), have >= want);
      assert.equal(atLeast(undefined, level), false);
    }
  });
});

test('the time of a restore is that of the newest one that passed', () => {
  const timed = proofs('upload', 'restore', 'restore', 'restore!').map((proof, day) => ({
    ...proof,
    seconds: day,
  }));
  assert.equal(restoreSeconds({ proofs: timed }), 2);
  assert.equal(recoverySeconds({ proofs: timed }), undefined);
  assert.equal(restoreSeconds({ proofs: timed.slice(0, 1) }), undefined);
});

test('the recovery time is that of the newest one on which Odoo answered, and no restore', () => {
  const timed = proofs('upload', 'restore', 'boot', 'restore').map((proof, day) => ({
    ...proof,
    seconds: day,
  }));
  assert.deepEqual([recoverySeconds({ proofs: timed }), restoreSeconds({ proofs: timed })], [2, 3]);
});

test('every level is read back as it was written, and none makes a receipt unreadable to an older program', () => {
  const known: readonly Level[] = ['upload', 'contents', 'restore']; // to one that knows nothing of boot
  for (const [proof, level] of proofs(...levels).map((each, i) => [each, levels[i]] as const)) {
    const stored = JSON.parse(JSON.stringify(storedProof(proof)));
    assert.ok(known.includes(stored.level), stored.level);
    assert.deepEqual(decodeProof(stored, 'proof'), { ...proof, level });
  }
});

test('a mark of boot counts with the level restore alone', () => {
  for (const level of ['upload', 'contents']) {
    const [proof] = proofs(level);
    assert.equal(decodeProof({ ...proof, booted: true }, 'proof').level, level);
  }
  assert.throws(
    () => decodeProof({ ...proofs('restore')[0], booted: 'yes' }, 'proof'),
    /proof\.booted is "yes"/,
  );
});
