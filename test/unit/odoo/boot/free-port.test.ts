import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { LocalHost } from '../../../../src/host/local-host.ts';
import { assertListens, freeAmong, listenersIn, portsIn } from '../../../../src/odoo/boot/free-port.ts';

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

/** As Linux 6 writes it: a listener of account 54321, one of another port, and a connection of account 33. */
const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:4E9B 00000000:0000 0A 00000000:00000000 00:00000000 00000000  54321        0 68811 1 0000 100 0 0 10 0
   1: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 68812 1 0000 100 0 0 10 0
  12: 0100007F:4E9B 0100007F:9C40 01 00000000:00000000 02:00000A2B 00000000    33        0 68813 2 0000 20 4 30 10 -1
`;

test('who listens on a port is who has it, and not who is connected to it', async () => {
  assert.deepEqual(listenersIn(TABLE, 0x4e9b), ['54321']);
  assert.deepEqual(listenersIn(TABLE, 0x1f90), ['0']);
  assert.deepEqual(listenersIn(TABLE, 0x9c40), []);
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await using host = new LocalHost();
  await assertListens(host, port, undefined);
  server.close();
});

test('an account that has taken the port first does not answer for Odoo', async () => {
  const ours = new LocalHost();
  const host = {
    label: 'host',
    user: 'odoo',
    start: (command: Parameters<LocalHost['start']>[0]) =>
      ours.start(command.argv[0] === 'id' ? command : { argv: ['echo', TABLE] }),
    [Symbol.asyncDispose]: () => ours[Symbol.asyncDispose](),
  };
  await using _ = host;
  await assert.rejects(
    assertListens(host, 0x4e9b, undefined),
    /port 20123 of host is not this Odoo: it belongs to the account with the number 54321/,
  );
});
