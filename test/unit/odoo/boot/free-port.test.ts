import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { freeAmong, portsIn } from '../../../../src/odoo/boot/free-port.ts';

test('ports are read from the tables of Linux', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  const tables = readFileSync('/proc/net/tcp', 'utf8');
  assert.ok(portsIn(tables).has(port));
  server.close();
  assert.deepEqual(
    portsIn('  sl  local_address rem_address\n   0: 0100007F:1F90 00000000:0000 0A\n'),
    new Set([0x1f90]),
  );
  assert.deepEqual(portsIn(''), new Set());
});

test('the next one that is free is taken', () => {
  assert.equal(freeAmong(new Set(), 25_000), 25_000);
  assert.equal(freeAmong(new Set([25_000, 25_001]), 25_000), 25_002);
  assert.equal(freeAmong(new Set([31_999]), 31_999), 20_000);
  const all = new Set(Array.from({ length: 12_000 }, (_, i) => 20_000 + i));
  assert.equal(freeAmong(all, 25_000), undefined);
});
