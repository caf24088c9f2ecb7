import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, suite, test } from 'node:test';
import { parseInputs } from '../../../src/inputs/parse.ts';
import { pinging } from '../../../src/platform/ping.ts';
import type { Platform } from '../../../src/platform/platform.ts';
import { fewestInputs, fewestVariables, type RawInputs, reader } from '../../support/inputs.ts';

suite('a monitor that waits for backups', () => {
  const told: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    told.push(request.url);
    response.end();
  });
  const warnings: string[] = [];
  const platform = { run: {}, warning: (message: string) => warnings.push(message) } as unknown as Platform;
  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  after(() => server.close());

  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/uuid`;
  const run = (inputs: RawInputs) =>
    pinging(
      parseInputs(reader({ ...fewestInputs, 'ping-url': url(), ...inputs }), fewestVariables),
      platform,
      async () => {},
    );

  for (const inputs of [
    { command: 'doctor' },
    { command: 'backup', 'dry-run': 'true' },
    { command: 'rollback', services: 'odoo', 'dry-run': 'true' },
  ]) {
    test(`is told nothing by ${JSON.stringify(inputs)}`, async () => {
      await run(inputs);
      assert.deepEqual([told, warnings], [[], []]);
    });
  }

  test('is told of a backup', async () => {
    await run({ command: 'backup' });
    assert.deepEqual([told.splice(0), warnings], [['/uuid/start', '/uuid'], []]);
  });
});
