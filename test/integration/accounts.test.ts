import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Accounts } from '../../src/host/accounts.ts';
import { login } from '../support/login.ts';
import { useSandbox } from '../support/sandbox.ts';

const sandbox = useSandbox();

test('where sudo refuses, the hint has its own words beside the line for sudoers', async () => {
  await using host = await login(sandbox, sandbox.ssh);
  const accounts = new Accounts(host, 'always');
  const able = await accounts.firstAble(['nobody'], { argv: ['true'] });
  assert.deepEqual(able, { as: undefined, stdout: '' });
  assert.match(
    accounts.sudoersHint(['nobody']),
    /^sudo says for nobody: ".*sudo.*"\. If it is a matter of rights, put this line into .* ALL=\(nobody\) NOPASSWD: ALL$/,
  );
});
