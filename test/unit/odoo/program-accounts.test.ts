import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { accountsOf } from '../../../src/odoo/program.ts';

/** A host on which a login account may become some others. */
const accountsFor = (login: string, may: readonly string[]) => ({
  login,
  async *usable(candidates: readonly string[]) {
    yield undefined;
    yield* candidates.filter((each) => each !== login && may.includes(each));
  },
});

suite('who runs the program of Odoo', () => {
  for (const [what, login, may, owners, expected] of [
    ['Odoo’s account and not root, who logged in', 'root', ['odoo', 'root'], ['odoo'], ['odoo']],
    ['not root, who owns odoo.conf', 'deploy', ['root', 'odoo'], ['root', 'odoo'], ['odoo']],
    ['not the login account where Odoo has one', 'deploy', ['odoo'], ['odoo'], ['odoo']],
    ['the login account where it is Odoo’s', 'erp', ['odoo'], ['erp', 'odoo'], ['odoo', undefined]],
    ['the login account where it may become no other', 'deploy', [], ['odoo'], [undefined]],
    ['root where there is nobody else', 'root', [], ['root', 'odoo'], [undefined]],
  ] as const) {
    test(what, async () => assert.deepEqual(await accountsOf(accountsFor(login, may), owners), expected));
  }
});
