import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { roundTripsOf } from '../../../scripts/bench/questions.ts';

interface Question {
  readonly asked: number;
  readonly takes: number;
}

const line = (whom: string, what: string, { asked, takes }: Question): string =>
  `ODOO-BACKUP-QUESTIONS 4711: ${whom} ${what} ${asked} ${asked + takes}`;

/** The longest chain, by trying each as the last. */
function longest(questions: readonly Question[]): number {
  const inTime = questions.toSorted((a, b) => a.asked + a.takes - b.asked - b.takes || a.asked - b.asked);
  const upTo: number[] = [];
  for (const { asked } of inTime) {
    const before = upTo.filter((_, index) => {
      const each = inTime[index];
      return each !== undefined && each.asked + each.takes <= asked;
    });
    upTo.push(1 + Math.max(0, ...before));
  }
  return Math.max(0, ...upTo);
}

test('questions that wait for one another are counted by the longest chain of them', () => {
  const question = fc.record({ asked: fc.nat(50), takes: fc.integer({ min: 1, max: 10 }) });
  fc.assert(
    fc.property(fc.array(question, { maxLength: 12 }), (questions) => {
      const log = questions.map((each) => line('host', 'sh as odoo', each)).join('\n');
      assert.equal(roundTripsOf(log).host, longest(questions));
    }),
  );
});

test('S3 is counted by itself, and parts that are sent are no questions', () => {
  const log = [
    'Everything is sent: there is no backup to build upon',
    line('s3', 'ListObjectsV2Command', { asked: 0, takes: 5 }),
    line('s3', 'UploadPartCommand', { asked: 6, takes: 5 }),
    line('host', 'sh', { asked: 1, takes: 5 }),
    line('s3', 'PutObjectCommand', { asked: 20, takes: 5 }),
  ].join('\n');
  assert.deepEqual(roundTripsOf(log), { host: 1, s3: 2 });
});
