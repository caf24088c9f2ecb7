import type { Receipt } from '../../src/catalog/receipt.ts';

/** A receipt of a small backup, as this program writes it: one segment, and `upload` proven. */
export const sampleReceipt: Receipt = {
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
