import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ArchiveExtension,
  archiveKey,
  catalogFolder,
  parseKey,
  receiptKey,
} from '../../../src/catalog/keys.ts';
import { headerSafe } from '../../../src/s3/upload.ts';

const at = new Date('2026-02-03T04:05:06.789Z');
const whole = new Date('2026-02-03T04:05:06.000Z');

const databases = [
  'prod',
  'prod2',
  'prod_eu',
  'prod-eu.v14',
  'with space',
  'données_ü',
  '数据库',
  'prod_2026-01-01_00-00-00',
  'prod_2026-01-01_00-00-00.zip',
  '_',
];

for (const database of databases) {
  test(`the keys of ${JSON.stringify(database)} lead back to it`, () => {
    const folder = catalogFolder('odoo/', 'acme');
    for (const extension of ['.zip', '.dump', '.sql.gz'] satisfies ArchiveExtension[]) {
      const key = archiveKey(folder, { database, at }, extension);
      assert.equal(key, `odoo/acme/backups/${database}_2026-02-03_04-05-06${extension}`);
      assert.deepEqual(parseKey(folder, key), { database, at: whole, isReceipt: false });
      const receipt = receiptKey(key);
      assert.equal(receipt, `odoo/acme/backups/${database}_2026-02-03_04-05-06.json`);
      assert.deepEqual(parseKey(folder, receipt), { database, at: whole, isReceipt: true });
    }
  });
}

test('an empty prefix puts the customer first', () => {
  assert.equal(catalogFolder('', 'acme'), 'acme/backups/');
});

const others = [
  '',
  'backups/',
  'other/backups/prod_2026-02-03_04-05-06.zip',
  'acme/backups/_2026-02-03_04-05-06.zip',
  'acme/backups/prod2026-02-03_04-05-06.zip',
  'acme/backups/prod_2026-02-03_04-05-06',
  'acme/backups/prod_2026-02-03_04-05-06.zip.tmp',
  'acme/backups/prod_2026-02-03_04-05-06.sql',
  'acme/backups/prod_2026-02-03.zip',
  'acme/backups/prod_2026-02-30_04-05-06.zip',
  'acme/backups/prod_2026-13-01_04-05-06.zip',
  'acme/backups/prod_2026-02-03_24-00-00.zip',
  'acme/backups/prod_2026-02-03_04-05-60.zip',
  'acme/backups/prod_2026-02-03_04-05-06Xzip',
];

for (const key of others) {
  test(`${JSON.stringify(key)} is no backup's key`, () => {
    assert.equal(parseKey('acme/backups/', key), undefined);
  });
}

const headers: [text: string, header: string][] = [
  ['', ''],
  ['14.0+e', '14.0+e'],
  ['https://ci.example/acme/-/jobs/7?a=b&c', 'https://ci.example/acme/-/jobs/7?a=b&c'],
  ['100 %', '100 %25'],
  ['Société', 'Soci%C3%A9t%C3%A9'],
  ['😀', '%F0%9F%98%80'],
  ['a\r\nb', 'a%0D%0Ab'],
  [' x ', '%20x%20'],
  ['\ud800', '%EF%BF%BD'],
];

for (const [text, header] of headers) {
  test(`metadata ${JSON.stringify(text)}`, () => {
    assert.equal(headerSafe(text), header);
    assert.equal(decodeURIComponent(header), text.toWellFormed());
  });
}
