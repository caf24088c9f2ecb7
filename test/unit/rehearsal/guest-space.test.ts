import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type { Host } from '../../../src/host/host.ts';
import { LocalHost } from '../../../src/host/local-host.ts';
import type { Postgres } from '../../../src/postgres/server.ts';
import { whileGuestFits } from '../../../src/rehearsal/guest-space.ts';

test('a guest is ended before it has filled the disk of the database in use', async () => {
  await using host: Host = new LocalHost();
  const folder = {
    host,
    path: '/',
    owner: 'odoo',
    exists: true,
    command: (argv: readonly string[]) => ({ argv }),
  };
  // As if there had been much more space before: of which a part has to stay free.
  const disks = [{ device: '/dev/a', mount: '/', free: Number.MAX_SAFE_INTEGER }];
  const login = { host, isLocal: true } as unknown as Postgres;
  const copy = { disks, filestore: folder, target: { filestore: undefined }, login };
  const endless = async (signal: AbortSignal): Promise<never> => {
    if (!signal.aborted) await once(signal, 'abort');
    throw signal.reason;
  };
  const full = { ...copy, filestore: { ...folder, command: () => ({ argv: ['printf', DF] }) } };
  const { signal } = new AbortController();
  await assert.rejects(
    whileGuestFits(full, signal, endless),
    /The rehearsal needs more space than there is: \/ on the host has only 100\.0 MiB left/,
  );
  assert.equal(await whileGuestFits(copy, signal, async () => 'done'), 'done');
});

const DF =
  'Filesystem 1024-blocks Used Available Capacity Mounted on\\n/dev/a 1000000 897600 102400 90%% /\\n';
