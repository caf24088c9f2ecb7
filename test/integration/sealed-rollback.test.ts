import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { AgeKeys } from '../support/age-keys.ts';
import { CopyScene } from '../support/copy-scene.ts';
import type { RawInputs } from '../support/inputs.ts';
import { openDeployed, RollbackScene } from '../support/rollback-scene.ts';

suite('a rollback from a sealed backup', { concurrency: 2 }, () => {
  const keys = new AgeKeys();
  after(() => keys[Symbol.dispose]());
  const [team, safe, stranger] = [keys.newKey(), keys.newKey(), keys.newKey()];
  const sealing = { 'encrypt-to': `${team.recipient}, ${safe.recipient}` };

  const archives: readonly RawInputs[] = [
    { format: 'dual' },
    { format: 'odoo', compression: '0' },
    { format: 'custom', 'encrypt-to': team.recipient },
    { format: 'directory', jobs: '2' },
  ];
  for (const [index, inputs] of archives.entries()) {
    const what = Object.values(inputs).slice(0, 2).join(', ');
    test(`of format ${what}: rows, files and their rights are as they were`, async () => {
      // Once with all that a real database has: what is sealed is the same bytes whatever they are.
      await using scene = await RollbackScene.open({}, undefined, { fixture: index === 0 ? 'full' : 'slim' });
      const then = await scene.snapshot();
      const { log: made, outputs } = await scene.succeeds('backup', { ...sealing, ...inputs });
      assert.match(made, /Sealed +for age1\w+/);
      assert.match(outputs.key ?? '', /\.zip$/);
      await scene.damage();
      const { path, text } = index % 2 === 0 ? team : safe;
      const identity = inputs.format === 'custom' ? team.path : index < 2 ? text : path;
      const { log } = await scene.succeeds('rollback', { 'decrypt-with': identity });
      const now = await scene.snapshot();
      assert.ok(now.sql === then.sql, 'other rows');
      assert.deepEqual(now.files, then.files);
      for (const key of [team, safe]) assert.ok(!log.includes(key.identity));
    });
  }

  for (const [format, extension] of [
    ['custom', 'dump'],
    ['plain', 'sql.gz'],
  ] as const) {
    test(`of format ${format} without a filestore: the database, and nothing else`, async () => {
      await using scene = await RollbackScene.open();
      const then = await scene.snapshot();
      const { outputs } = await scene.succeeds('backup', { ...sealing, format, filestore: 'false' });
      assert.match(outputs.key ?? '', new RegExp(`\\.${extension}\\.age$`));
      const { sealed, description } = await scene.receipt(outputs.receipt ?? '');
      assert.deepEqual(sealed?.recipients, [team.recipient, safe.recipient]);
      assert.equal(description, undefined);
      await scene.sql("DROP TABLE res_partner_bank CASCADE; UPDATE res_partner SET name = 'broken'");
      await scene.succeeds('rollback', { 'decrypt-with': safe.text });
      const now = await scene.snapshot();
      assert.ok(now.sql === then.sql, 'other rows');
      assert.deepEqual(now.files, then.files);
    });
  }

  test('cut while it is loaded, it takes everything back, and succeeds the next time', async () => {
    await using scene = await openDeployed('change', sealing);
    const decrypt = { 'decrypt-with': team.text };
    for (const step of [/^Load the dump/m, /^Build the filestore/m]) {
      const before = await scene.traces();
      const run = scene.start('rollback', decrypt);
      await run.says(step);
      run.child.kill('SIGTERM');
      const { exitCode, log } = await run.ended;
      assert.equal(exitCode, 143, log);
      assert.match(log, /What was begun has been undone/);
      assert.deepEqual(await scene.traces(), before, log);
    }
    assert.deepEqual(await scene.snapshot(), scene.deployed);
    await scene.succeeds('rollback', decrypt);
    const now = await scene.snapshot();
    assert.ok(now.sql === scene.backedUp.sql, 'other rows');
    assert.deepEqual(now.files, scene.backedUp.files);
  });

  test('without its identity nothing is touched, and the log says at once for whom it is sealed', async () => {
    await using scene = await RollbackScene.open();
    await scene.succeeds('backup', sealing);
    const before = await scene.traces();
    const whom = `is sealed for ${team.recipient}, ${safe.recipient}`;
    const refusals: readonly (readonly [RawInputs, number, string])[] = [
      [{}, 1, `${whom}: without an identity it cannot be opened`],
      [
        { 'decrypt-with': stranger.text },
        1,
        `${whom}, and the identity that is given is of ${stranger.recipient}`,
      ],
      [
        { 'decrypt-with': team.identity.slice(0, -1) },
        2,
        'decrypt-with: cannot be read: line 1 is no identity of age',
      ],
      [
        { 'decrypt-with': '/nonexistent' },
        2,
        'decrypt-with: is neither a key of age nor a file that can be read',
      ],
    ];
    for (const [inputs, exitCode, words] of refusals) {
      const ended = await scene.run('rollback', inputs);
      assert.equal(ended.exitCode, exitCode, ended.log);
      assert.ok(ended.log.includes(words), ended.log);
      assert.ok(!ended.log.includes(team.identity.slice(20, 60)));
      assert.doesNotMatch(ended.log, /\n\s+at .*\.(?:ts|mjs):/);
      assert.deepEqual(await scene.traces(), before);
    }
  });

  test('a copy of it is the same database under another name', async () => {
    await using copies = await CopyScene.open();
    await copies.odoo.succeeds('backup', sealing);
    const then = await copies.content();
    await copies.odoo.damage();
    const { log } = await copies.restoreUnchanged('copy', { 'decrypt-with': safe.text });
    assert.ok(!log.includes(safe.identity));
    await copies.assertContent('copy', then);
  });
});
