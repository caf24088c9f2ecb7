import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, before, suite, test } from 'node:test';
import { dropDatabase } from '../support/postgres.ts';
import { openRehearsal, type RehearsalScene } from '../support/rehearsal-scene.ts';
import { useSandbox } from '../support/sandbox.ts';

suite('a rehearsal on a host that has the program of Odoo alone', () => {
  let scene: RehearsalScene;
  before(async () => {
    const { postgres } = useSandbox();
    const { host, odoo } = postgres;
    scene = await openRehearsal({ db_host: host, db_user: odoo.name, db_password: odoo.password });
    await scene.server.stop();
    await dropDatabase(postgres, scene.database);
    await rm(scene.scene.odoo.filestore, { recursive: true });
  });
  after(() => scene?.[Symbol.asyncDispose]());

  test('gets all of the copy from the backup; the password goes by the environment', async () => {
    const { exitCode, log, json } = await scene.rehearse({
      'rehearse-command': `psql -X -At -c "SELECT 'as ' || current_user" && ! grep -q password "$ODOO_RC"
        echo "files $(find "$ODOO_REHEARSAL_FILESTORE" -type f | wc -l)"; echo "password $PGPASSWORD"; exit 1`,
    });
    assert.equal(exitCode, 1, log);
    assert.equal(json.result, 'failed');
    for (const line of [`as ${useSandbox().postgres.odoo.name}`, 'files 205'])
      assert.ok(json.lastLines.includes(line), log);
    const works = await scene.rehearse();
    assert.equal(works.exitCode, 0, works.log);
    assert.deepEqual(await scene.copies(), []);
  });
});
