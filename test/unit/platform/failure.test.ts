import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failureOf, withFailure } from '../../../src/platform/failure.ts';
import { markdownOf } from '../../../src/report/markdown.ts';
import { plainText } from '../../../src/report/plain.ts';
import type { Summary } from '../../../src/report/summary.ts';
import { GateError, InputError, UserError } from '../../../src/util/errors.ts';

describe('the summary of a failure', () => {
  test('says what, why, what to do, and what was left as it was', () => {
    const error = new UserError('S3 denied it', 'Allow it.', { cause: new Error('AccessDenied') });
    assert.equal(
      plainText(failureOf(error, 'Nothing was touched.')),
      '❌ S3 denied it\n\nBecause         AccessDenied\nWhat to do      Allow it.\nLeft as it was  Nothing was touched.',
    );
  });

  test('lists what has to change, one by one', () => {
    const error = new InputError(
      '2 inputs need a change:\n  s3-bucket: is required\n  jobs: no',
      'Nothing was touched. See docs.',
    );
    assert.equal(
      plainText(failureOf(error, 'Nothing was touched.')),
      '❌ 2 inputs need a change\n\nOne by one:\n  1. s3-bucket: is required\n  2. jobs: no\n\nWhat to do  Nothing was touched. See docs.\nMore        docs/troubleshooting.md#inputs',
    );
  });

  test('shows where an error that nobody foresaw was thrown', () => {
    const text = plainText(failureOf(new TypeError('x is undefined'), ''));
    assert.match(
      text,
      /^❌ Unexpected error: x is undefined\n\nWhat to do {2}What was done .*\nThrown {6}at .*failure\.test\.ts/,
    );
  });
});

describe('a failure that a summary has told of', () => {
  const told = (blocks: Summary['blocks']): Summary => ({
    outcome: 'failed',
    title: 'The gate is shut',
    blocks,
  });
  const failure = failureOf(
    new GateError('Too old', 'Make a backup.'),
    'Nothing was changed: this command only reads.',
  );

  test('is not told twice: what to do is added to it', () => {
    const [only, ...more] = withFailure([told([{ kind: 'facts', rows: [['Because', 'Too old']] }])], failure);
    assert.deepEqual(more, []);
    assert.match(
      markdownOf(only as Summary),
      /Because.*Too old.*What to do.*Make a backup\..*Left as it was.*this command only reads/s,
    );
  });

  test('is left as it is where that says what to do', () => {
    const whole = told([{ kind: 'facts', rows: [['What to do', 'x']] }]);
    assert.deepEqual(withFailure([whole], failure), [whole]);
  });

  test('comes after summaries of what went well', () => {
    const done: Summary = { outcome: 'done', title: 'a', blocks: [] };
    assert.deepEqual(withFailure([done], failure), [done, failure]);
  });
});
