import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostLook } from '../../../src/backup/look.ts';
import { makeBackup } from '../../../src/backup/make.ts';
import type { BackupOptions } from '../../../src/backup/options.ts';
import type { SignedStore } from '../../../src/catalog/append-proof.ts';
import type { Run } from '../../../src/platform/run.ts';
import { ahead } from '../../../src/util/begun.ts';

test('a backup that fails before it needs the host closes the connection', async () => {
  let isClosed = false;
  const looking = ahead(async () => {
    const close = async () => {
      isClosed = true;
    };
    return { [Symbol.asyncDispose]: close } as Partial<HostLook> as HostLook;
  });
  const inputs = { encryptTo: ['nobody'], odoo: {} } as unknown as BackupOptions;
  const onHost = () => assert.fail();
  await assert.rejects(makeBackup(inputs, {} as SignedStore, {} as Run, { onHost, looking }), /nobody/);
  assert.ok(isClosed);
});
