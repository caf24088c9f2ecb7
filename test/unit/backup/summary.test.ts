import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { backupOutputs, backupSummary } from '../../../src/backup/summary.ts';
import type { Receipt } from '../../../src/catalog/receipt.ts';
import { markdownOf } from '../../../src/report/markdown.ts';
import { plainText } from '../../../src/report/plain.ts';

const unit = { offset: 0, length: 900, md5: 'd41d8cd98f00b204e9800998ecf8427e', crc32: 0 };
const whole: Receipt = {
  version: 1,
  tool: { name: 'odoo-backup-action', version: '1.2.3' },
  bucket: 'backups',
  key: 'acme/backups/prod_2026-11-21_03-04-05.zip',
  database: 'prod',
  customer: 'acme',
  format: 'dual',
  startedAt: '2026-11-21T03:04:05.000Z',
  finishedAt: '2026-11-21T03:05:35.250Z',
  size: 3 * 2 ** 30,
  odoo: { version: '17.0', modules: 59 },
  postgres: { server: '15.18', client: '15' },
  segments: [{ kind: 'database', offset: 0, length: 900, entries: 3, units: [unit] }],
  directory: { offset: 900, length: 100, md5: unit.md5, entries: 3 },
  upload: { parts: 400, partSize: 8 * 2 ** 20, proof: 'md5' },
  proofs: [
    {
      level: 'upload',
      at: '2026-11-21T03:05:35.000Z',
      tool: { name: 'odoo-backup-action', version: '1.2.3' },
    },
  ],
  filestore: { files: 70_000, bytes: 5 * 2 ** 30, missing: 0, lost: 0, corrupt: 0 },
  counts: { res_partner: 7 },
  durations: { dump: 12.25, filestore: 61 },
  bytesSent: 3 * 2 ** 30,
  run: { platform: 'terminal' },
};
const filestore = { files: 70_000, bytes: 5 * 2 ** 30, missing: 0, lost: 0, corrupt: 0 };

suite('outputs', () => {
  test('carry the receipt’s facts as text', () => {
    const { json = '', ...outputs } = backupOutputs(whole);
    assert.deepEqual(outputs, {
      key: 'acme/backups/prod_2026-11-21_03-04-05.zip',
      uri: 's3://backups/acme/backups/prod_2026-11-21_03-04-05.zip',
      receipt: 'acme/backups/prod_2026-11-21_03-04-05.json',
      size: '3221225472',
      duration: '90.3',
      database: 'prod',
      'odoo-version': '17.0',
      verified: 'upload',
      'missing-files': '0',
      'bytes-sent': '3221225472',
    });
    assert.deepEqual(JSON.parse(json), { ...JSON.parse(JSON.stringify({ ...whole, segments: undefined })) });
  });

  const cases: [Partial<Receipt>, string, string][] = [
    [{ filestore: { ...filestore, missing: 2, lost: 1, corrupt: 4 } }, 'missing-files', '3'],
    [{ filestore: null }, 'missing-files', '0'],
    [{ odoo: null }, 'odoo-version', ''],
    [{ proofs: [] }, 'verified', ''],
    [{ key: 'a/backups/b_2026-11-21_03-04-05.sql.gz' }, 'receipt', 'a/backups/b_2026-11-21_03-04-05.json'],
  ];
  for (const [change, name, value] of cases) {
    test(`${name} is '${value}' for ${JSON.stringify(change)}`, () => {
      assert.equal(backupOutputs({ ...whole, ...change })[name], value);
    });
  }
});

suite('summary', () => {
  test('is one page', () => {
    assert.equal(
      markdownOf(backupSummary(whole)),
      `### ✅ prod is backed up

<table>
<tr><th align="left" scope="row">Database</th><td><code>prod</code>, Odoo 17.0 with 59 modules, PostgreSQL 15.18</td></tr>
<tr><th align="left" scope="row">Archive</th><td><code>s3://backups/acme/backups/prod_2026-11-21_03-04-05.zip</code></td></tr>
<tr><th align="left" scope="row">Size</th><td>3.0 GiB, format dual</td></tr>
<tr><th align="left" scope="row">Attachments</th><td>70,000 files, 5.0 GiB</td></tr>
<tr><th align="left" scope="row">Verified</th><td>upload: size, MD5 of every part, and the archive’s directory read back</td></tr>
<tr><th align="left" scope="row">Time</th><td>1 min 30 s</td></tr>
</table>
`,
    );
  });

  test('is aligned text on a terminal', () => {
    assert.equal(
      plainText(backupSummary(whole)),
      `✅ prod is backed up

Database     prod, Odoo 17.0 with 59 modules, PostgreSQL 15.18
Archive      s3://backups/acme/backups/prod_2026-11-21_03-04-05.zip
Size         3.0 GiB, format dual
Attachments  70,000 files, 5.0 GiB
Verified     upload: size, MD5 of every part, and the archive’s directory read back
Time         1 min 30 s`,
    );
  });

  const cases: [Partial<Receipt>, string][] = [
    [
      { filestore: { ...filestore, missing: 1 } },
      '### ⚠️ prod is backed up, 1 attachment missing on the host',
    ],
    [{ filestore: { ...filestore, missing: 1, lost: 1 } }, ', 2 attachments missing on the host'],
    [
      { filestore: { ...filestore, missing: 1 } },
      '5.0 GiB; 1 missing: see <code>backup.json</code> in the archive',
    ],
    [{ filestore: { ...filestore, missing: 3, lost: 2, corrupt: 1 } }, '; 3 missing, 2 lost, 1 corrupt: see'],
    [{ filestore: null }, '<td>not part of this backup</td>'],
    [{ odoo: null }, '<code>prod</code>, no Odoo, PostgreSQL'],
    [{ directory: null, segments: [] }, '<td>upload: size and MD5 of every part</td>'],
    [
      { upload: { ...whole.upload, proof: 'content-md5' } },
      'upload: size, every part sent with its MD5, and the archive’s',
    ],
    [
      {
        bytesSent: 21 * 2 ** 20,
        upload: {
          ...whole.upload,
          copied: { from: 'acme/a.zip', bytes: 2 ** 31, proof: 'etag', fullAt: whole.startedAt },
        },
      },
      '3.0 GiB, format dual: 21.0 MiB sent, 2.0 GiB copied by S3</td>',
    ],
  ];
  for (const [change, text] of cases) {
    test(`says ${text}`, () => {
      const summary = markdownOf(backupSummary({ ...whole, ...change }));
      assert.ok(summary.includes(text), summary);
    });
  }

  test('warns of corrupt files in its first line', () => {
    assert.match(
      markdownOf(backupSummary({ ...whole, filestore: { ...filestore, corrupt: 2 } })),
      /^### ⚠️ .*2 .*corrupt/,
    );
  });
});
