import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { CopyScene } from '../support/copy-scene.ts';
import { createRole, type OwnRole } from '../support/roles.ts';

/**
 * The role of another Odoo on the same server, which may create databases, and gives them names of this one's restores.
 */
suite('databases that somebody else has named as a restore would', { concurrency: false }, () => {
  let scene: CopyScene;
  let stranger: OwnRole;
  let resources: AsyncDisposableStack;
  const old = () => `${scene.odoo.database}__old_20260101000000`;
  const built = () => `${scene.odoo.database}__new_20260101000001`;
  const owners = () =>
    scene.sql(
      `SELECT datname, pg_get_userbyid(datdba) FROM pg_database WHERE datname IN ('${old()}', '${built()}') ORDER BY 1`,
      'postgres',
    );

  before(async () => {
    await using opened = new AsyncDisposableStack();
    scene = await CopyScene.open();
    stranger = opened.use(await createRole(scene.odoo.scene.sandbox, 'stranger', 'CREATEDB'));
    opened.use(scene);
    await scene.odoo.succeeds('backup');
    for (const name of [old(), built()]) {
      await scene.sql(`CREATE DATABASE "${name}" OWNER "${stranger.name}"`, 'postgres');
    }
    await scene.sql(
      `COMMENT ON DATABASE "${old()}" IS 'odoo-backup: replaced 2026-01-01T00:00:00.000Z; keep until-healthy'`,
      'postgres',
    );
    resources = opened.move();
  });
  after(() => resources?.disposeAsync());

  test('neither hold up a backup nor are told as what a restore has left', async () => {
    const { log } = await scene.odoo.succeeds('backup');
    assert.doesNotMatch(log, /was killed|__(old|new)_/);
  });

  for (const [what, inputs] of [
    ['Odoo’s role', {}],
    ['an admin role', { 'db-admin-user': 'admin' }],
  ] as const) {
    test(`are not touched by a rollback of ${what}`, async () => {
      const before = await owners();
      const { log } = await scene.odoo.succeeds('rollback', { backup: 'latest', ...inputs });
      assert.ok(!log.includes(old()) && !log.includes(built()), log);
      assert.equal(await owners(), before);
    });
  }
});
