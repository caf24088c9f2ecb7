import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { Entry } from '../../../src/catalog/entries.ts';
import type { Proof } from '../../../src/catalog/proofs.ts';
import type { Receipt } from '../../../src/catalog/receipt.ts';
import { shrinkWords, shrunken } from '../../../src/catalog/shrink.ts';
import { sampleReceipt } from '../../support/sample-receipt.ts';

const usual = {
  counts: { res_partner: 4000, sale_order: 900, res_lang: 3 },
  filestore: { files: 2000, bytes: 10 ** 9, missing: 0, lost: 0, corrupt: 0 },
  odoo: { version: '17.0', modules: 80 },
  size: 10 ** 9,
};
const accepted: Proof = {
  level: 'upload',
  at: '2026-02-03T04:06:00.000Z',
  tool: { name: 'odoo-backup-action', version: '0.1.0' },
  remark: { kind: 'accept-shrink', reason: 'archived' },
};

/** Entries of one night each, the oldest first. */
const nightly = (...receipts: readonly Partial<Receipt>[]): Entry[] =>
  receipts.map((receipt, night) => ({
    key: `acme/backups/prod_${night}.zip`,
    database: 'prod',
    at: new Date(Date.UTC(2026, 0, 1 + night)),
    archive: { key: '', size: 1, modified: new Date(0) },
    receiptObject: undefined,
    receipt: { ...sampleReceipt, ...usual, ...receipt },
    condition: { kind: 'verified', level: 'upload' },
  }));
/** Which nights have shrunk. */
const nights = (entries: Entry[], most = 30): number[] =>
  [...shrunken(entries, most).keys()].map((entry) => entries.indexOf(entry));

const emptied = { counts: { ...usual.counts, res_partner: 12 } };

suite('backups that have shrunk', () => {
  test('fall by more than the limit, in rows, files, modules or bytes', () => {
    const ones = [usual, usual, usual];
    assert.deepEqual(nights(nightly(...ones, emptied)), [3]);
    assert.deepEqual(nights(nightly(...ones, { filestore: { ...usual.filestore, files: 10 } })), [3]);
    assert.deepEqual(nights(nightly(...ones, { odoo: { version: '17.0', modules: 20 } })), [3]);
    assert.deepEqual(nights(nightly(...ones, { size: 10 ** 8 })), [3]);
    assert.deepEqual(nights(nightly(...ones, { counts: { ...usual.counts, res_partner: 2801 } })), []);
    assert.deepEqual(nights(nightly(...ones, emptied), 100), []);
  });

  test('are compared with the median, and not with one night that was larger', () => {
    const large = { counts: { ...usual.counts, res_partner: 90_000 } };
    assert.deepEqual(nights(nightly(usual, usual, large, usual)), []);
  });

  test('are not judged by small tables, nor by sizes of other formats', () => {
    const small = { counts: { ...usual.counts, res_lang: 1 } };
    assert.deepEqual(nights(nightly(usual, usual, small)), []);
    assert.deepEqual(nights(nightly(usual, usual, { format: 'custom', size: 10 ** 7 })), []);
    const sealed = { recipients: [] };
    assert.deepEqual(nights(nightly({ ...usual, sealed }, { ...usual, sealed }, { size: 10 ** 7 })), []);
    const alone = { filestore: null, size: 10 ** 7 };
    assert.deepEqual(nights(nightly(usual, usual, alone)), []);
    assert.deepEqual(nights(nightly(usual)), []);
  });

  test('stay so for as long as it lasts, and are the measure from when somebody has accepted it', () => {
    const lasting = Array.from({ length: 12 }, () => emptied);
    assert.deepEqual(nights(nightly(usual, usual, ...lasting)).length, 12);
    const said = { ...emptied, proofs: [...sampleReceipt.proofs, accepted] };
    assert.deepEqual(nights(nightly(usual, usual, emptied, said, ...lasting)), [2]);
    const less = { counts: { ...usual.counts, sale_order: 1 } };
    assert.deepEqual(nights(nightly(usual, usual, said, emptied, { ...emptied, ...less })), [4]);
  });

  test('say the worst first', () => {
    const [shrinks = []] = shrunken(nightly(usual, usual, { ...emptied, size: 10 ** 8 }), 30).values();
    assert.equal(
      shrinkWords(shrinks),
      'rows of res_partner: 12 instead of 4,000, bytes of the archive: 95.4 MiB instead of 953.7 MiB',
    );
  });

  test('are none where nothing falls: whatever grows, and in whichever order they are given', () => {
    const stepsUp = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(stepsUp, fc.integer({ min: 1, max: 100 }), (steps, most) => {
        let rows = 0;
        const growing = steps.map((step) => {
          rows += step;
          return { counts: { res_partner: rows } };
        });
        const entries = nightly(...growing);
        assert.deepEqual(nights(entries, most), []);
        assert.deepEqual(shrunken(entries.toReversed(), most).size, 0);
      }),
    );
  });
});
