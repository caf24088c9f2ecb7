import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseReceipt, type Receipt, recordedRun } from '../../../src/catalog/receipt.ts';
import { UserError } from '../../../src/util/errors.ts';
import { sampleReceipt } from '../../support/sample-receipt.ts';

const receipt = sampleReceipt;
const asRead = (value: unknown) => JSON.parse(JSON.stringify(value));

test('a receipt reads back as it was written', () => {
  assert.deepEqual(parseReceipt(asRead(receipt), 's3://b/k'), receipt);
});

test('a bare dump has neither directory nor filestore, and need not be Odoo’s', () => {
  const bare: Receipt = {
    ...receipt,
    format: 'plain',
    odoo: null,
    directory: null,
    filestore: null,
    segments: [],
  };
  assert.deepEqual(parseReceipt(asRead(bare), 's3://b/k'), bare);
});

test('fields that a newer version adds are left out: nothing has looked at them', () => {
  const newer = { ...receipt, run: { ...receipt.run, shard: 3 }, later: '\u202e' };
  assert.deepEqual(parseReceipt(asRead(newer), 's3://b/k'), receipt);
});

test('what a CI says of a run is recorded as far as a receipt can hold it', () => {
  const run = {
    platform: 'gitlab',
    actor: 'dependabot[bot]',
    repository: 'Acme/odoo',
    ref: 'feature/\u202etxt.exe',
    commit: 'c0ffee',
    url: 'javascript:alert(1)',
  } as const;
  assert.deepEqual(recordedRun(run), {
    platform: 'gitlab',
    actor: 'dependabot[bot]',
    repository: 'Acme/odoo',
    commit: 'c0ffee',
  });
});

const [segment] = receipt.segments;
const broken: [value: unknown, says: string][] = [
  [null, 'receipt is null, expected an object'],
  [[], 'receipt is [], expected an object'],
  ['text', 'receipt is "text", expected an object'],
  [{ ...receipt, version: 2 }, 'receipt.version is 2, expected 1'],
  [{ ...receipt, key: undefined }, 'receipt.key is missing, expected the key of an archive'],
  [
    { ...receipt, format: 'tar' },
    'receipt.format is "tar", expected dual or odoo or custom or directory or plain',
  ],
  [{ ...receipt, size: -1 }, 'receipt.size is -1, expected a whole number'],
  [{ ...receipt, size: 1.5 }, 'receipt.size is 1.5, expected a whole number'],
  [{ ...receipt, size: '1234' }, 'receipt.size is "1234", expected a whole number'],
  [{ ...receipt, startedAt: 'yesterday' }, 'receipt.startedAt is "yesterday", expected a time in UTC'],
  [
    { ...receipt, startedAt: '2026-02-03T04:05:06+01:00' },
    'receipt.startedAt is "2026-02-03T04:05:06+01:00"',
  ],
  [{ ...receipt, directory: undefined }, 'receipt.directory is missing, expected an object'],
  [
    { ...receipt, directory: { ...receipt.directory, md5: 'x' } },
    'receipt.directory.md5 is "x", expected an MD5',
  ],
  [{ ...receipt, segments: {} }, 'receipt.segments is {}, expected a list'],
  [
    { ...receipt, segments: [segment, { ...segment, units: [{ offset: 0 }] }] },
    'receipt.segments[1].units[0].length is missing, expected a whole number',
  ],
  [
    { ...receipt, counts: { res_partner: null } },
    'receipt.counts.res_partner is null, expected a whole number',
  ],
  [{ ...receipt, run: { platform: 'jenkins' } }, 'receipt.run.platform is "jenkins"'],
];

for (const [value, says] of broken) {
  test(`refused: ${says}`, () => {
    assert.throws(
      () => parseReceipt(value, 's3://b/k'),
      (error: unknown) => {
        assert.ok(error instanceof UserError);
        assert.ok(error.message.startsWith(`s3://b/k is not a receipt of this tool: ${says}`), error.message);
        assert.ok(error.cause instanceof Error);
        return true;
      },
    );
  });
}
