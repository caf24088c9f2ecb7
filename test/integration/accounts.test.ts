import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Accounts } from '../../src/host/accounts.ts';
import { connect } from '../../src/host/ssh/connect.ts';
import { useSandbox } from '../support/sandbox.ts';

const { ssh, keys } = useSandbox();

test('where sudo refuses, the hint has its own words beside the line for sudoers', async () => {
  await using host = await connect({
    ...ssh,
    key: { pem: readFileSync(keys.plain, 'utf8') },
    trust: { knownHosts: ssh.knownHosts },
    jumps: [],
    connectTimeoutMs: 20_000,
  });
  const accounts = new Accounts(host, 'always');
  const able = await accounts.firstAble(['nobody'], { argv: ['true'] });
  assert.deepEqual(able, { as: undefined, stdout: '' });
  assert.match(
    accounts.sudoersHint(['nobody']),
    /^sudo says for nobody: ".*sudo.*"\. If it is a matter of rights, put this line into .* ALL=\(nobody\) NOPASSWD: ALL$/,
  );
});
