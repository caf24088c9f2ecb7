import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { openRehearsal, type RehearsalScene } from '../support/rehearsal-scene.ts';
import { createRole, type OwnRole } from '../support/roles.ts';

/** The role of another Odoo on the same server, which gives its database the name of a rehearsal that was killed. */
suite('a database that somebody else has named as a rehearsal would', { concurrency: false }, () => {
  let scene: RehearsalScene;
  let stranger: OwnRole;
  const planted = () => `${scene.database}__rehearsal_20260101000002`;
  const owner = () =>
    scene.sql(`SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = '${planted()}'`, 'postgres');

  before(async () => {
    scene = await openRehearsal();
    stranger = await createRole(scene.scene.sandbox, 'stranger', 'CREATEDB');
    await scene.sql(`CREATE DATABASE "${planted()}" OWNER "${stranger.name}"`, 'postgres');
  });
  after(async () => {
    await scene?.sql(`DROP DATABASE IF EXISTS "${planted()}"`, 'postgres');
    await stranger?.[Symbol.asyncDispose]();
    await scene?.[Symbol.asyncDispose]();
  });

  for (const [what, inputs] of [
    ['Odoo’s role', {}],
    ['an admin role', { 'db-admin-user': 'admin' }],
  ] as const) {
    test(`neither stops a rehearsal of ${what} nor is dropped by it`, async () => {
      const { exitCode, log } = await scene.rehearse(inputs);
      assert.equal(exitCode, 0, log);
      assert.ok(!log.includes(planted()), log);
      assert.equal(await owner(), stranger.name);
    });
  }

  test('is not told by a backup', async () => {
    const { log } = await scene.succeeds('backup');
    assert.ok(!log.includes(planted()), log);
    assert.equal(await owner(), stranger.name);
  });
});
