import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { Scene } from '../support/backup-run.ts';
import { psql } from '../support/postgres.ts';

/** Names of databases that the host may have: what a pattern finds is nobody's choice. */
const ADDED = ['\nBASH_ENV=/tmp/evil', '\r::add-mask::x', '\x1b[2J\u202e'];

suite('databases with hostile names, found by a pattern', () => {
  let scene: Scene;
  let names: string[];
  before(async () => {
    scene = await Scene.open();
    const { postgres } = scene.sandbox;
    names = ADDED.map((added) => `${scene.odoo.database}${added}`);
    for (const name of names) {
      await psql(
        postgres,
        'postgres',
        `CREATE DATABASE "${name}" TEMPLATE "${scene.odoo.database}" OWNER odoo`,
      );
    }
  });
  after(async () => {
    for (const name of names ?? []) {
      await psql(scene.sandbox.postgres, 'postgres', `DROP DATABASE "${name}" WITH (FORCE)`);
    }
    await scene?.[Symbol.asyncDispose]();
  });

  test('are no other output, and steer neither terminal nor runner', async () => {
    const given = { database: `/^${scene.odoo.database}/` };
    const ended = await scene.run(given, { GITHUB_ACTIONS: 'true' });
    const outputs = ended.stdout.split('\n').slice(0, -1);
    for (const line of outputs) assert.match(line, /^[a-z-]+=/);
    assert.ok(!outputs.some((line) => line.startsWith('BASH_ENV')));
    const all = `${ended.stdout}${ended.log}`.replaceAll('\n', '');
    assert.doesNotMatch(all, /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]/);
    for (const line of ended.log.split('\n')) assert.doesNotMatch(line, /^[\s\x85]*::|##\[/);
    assert.match(ended.log, /\\x1b\[2J\\u202e/, 'they are shown as what they are');
    // The database with a name of Odoo's is not kept from being backed up.
    const json = outputs.find((line) => line.startsWith('json='))?.slice('json='.length) ?? '[]';
    const made = (JSON.parse(json) as { database: string }[]).map(({ database }) => database);
    assert.ok(made.includes(scene.odoo.database), ended.log);
  });
});
