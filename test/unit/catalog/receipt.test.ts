import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseReceipt, type Receipt, recordedRun } from '../../../src/catalog/receipt.ts';
import { UserError } from '../../../src/util/errors.ts';

const receipt: Receipt = {
  version: 1,
  tool: { name: 'odoo-backup-action', version: '0.1.0' },
  bucket: 'backups',
  key: 'acme/backups/prod_2026-02-03_04-05-06.zip',
  database: 'prod',
  customer: 'acme',
  format: 'dual',
  startedAt: '2026-02-03T04:05:06.000Z',
  finishedAt: '2026-02-03T04:06:00.500Z',
  size: 1234,
  odoo: { version: '14.0', modules: 59 },
  postgres: { server: '15.18', client: '15.18' },
  segments: [
    {
      kind: 'filestore',
      offset: 0,
      length: 1000,
      entries: 3,
      units: [{ offset: 0, length: 1000, md5: 'd41d8cd98f00b204e9800998ecf8427e', crc32: 0xffffffff }],
    },
  ],
  directory: { offset: 1000, length: 234, md5: 'd41d8cd98f00b204e9800998ecf8427e', entries: 3 },
  upload: { parts: 1, partSize: 8388608, proof: 'md5' },
  proofs: [
    {
      level: 'upload',
      at: '2026-02-03T04:06:00.000Z',
      tool: { name: 'odoo-backup-action', version: '0.1.0' },
    },
  ],
  filestore: { files: 3, bytes: 900, missing: 0, lost: 0, corrupt: 0 },
  counts: { res_partner: 7 },
  durations: { dump: 1.5 },
  bytesSent: 1234,
  run: { platform: 'github', commit: 'abc' },
};

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
