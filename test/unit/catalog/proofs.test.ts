import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  atLeast,
  failedProof,
  type Level,
  levelOf,
  levels,
  type Proof,
  restoreSeconds,
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
  assert.equal(restoreSeconds({ proofs: timed.slice(0, 1) }), undefined);
});
