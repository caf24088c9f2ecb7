import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { appendFile, chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { jsonOf } from '../support/backup-run.ts';
import { run } from '../support/processes.ts';
import { RollbackScene } from '../support/rollback-scene.ts';

/** What docs/rollback.md shows. */
const SWITCH = readFileSync(new URL('../../templates/code/git-checkouts.sh', import.meta.url), 'utf8');

suite('the code of a rollback', () => {
  let scene: RollbackScene;
  let folder: string;
  let addons: string;
  let first: string;
  let second: string;

  const git = async (...words: string[]): Promise<string> => {
    const own = ['-c', 'user.name=t', '-c', 'user.email=t@example.com'];
    return (await run(['git', ...own, '-C', addons, ...words], { as: scene.scene.sandbox.account })).trim();
  };
  const commit = async (text: string): Promise<string> => {
    await run(['sh', '-c', 'echo "$2" >"$1/sale.py"', 'sh', addons, text], {
      as: scene.scene.sandbox.account,
    });
    await git('add', '.');
    await git('commit', '-q', '-m', text);
    return git('rev-parse', 'HEAD');
  };
  const head = () => git('rev-parse', 'HEAD');

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'code-'));
    await chmod(folder, 0o755);
    addons = join(folder, 'erp');
    scene = await RollbackScene.open({ addons_path: `/no/such,${addons}/extra,\n ${addons}` });
    const { uid, gid } = scene.scene.sandbox.account;
    await run(['install', '-d', '-o', `${uid}`, '-g', `${gid}`, addons, join(addons, 'extra')]);
    await git('init', '-q', '-b', 'main');
    first = await commit('one');
  });
  after(async () => {
    await scene?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  test('is recorded by a backup, in receipt and backup.json, and listed', async () => {
    const { log, outputs } = await scene.succeeds('backup');
    assert.match(log, new RegExp(`Code: ${addons} at ${first.slice(0, 8)} \\(main\\)`));
    const receipt = await scene.receipt(`${outputs.key?.replace(/\.zip$/, '')}.json`);
    const code = {
      checkouts: [{ path: addons, commit: first, branch: 'main', dirty: false }],
      images: [],
      packages: {},
    };
    assert.deepEqual(receipt.code, code);
    const listed = await scene.succeeds('list');
    assert.deepEqual(jsonOf(listed)[0]?.code, code);
    assert.match(listed.log + listed.stdout, new RegExp(first.slice(0, 8)));
  });

  test('is compared by the plan: a warning, and a refusal where it has to be the same', async () => {
    await commit('two');
    second = await commit('three');
    const said = `${addons} is at ${second.slice(0, 8)} (main), the backup was made with ${first.slice(0, 8)}: 2 commits before`;
    const planned = await scene.succeeds('rollback', { 'dry-run': 'true' });
    assert.ok(
      planned.log.includes(
        `The code is not the one that the backup was made with, and stays as it is: ${said}`,
      ),
      planned.log,
    );
    assert.deepEqual(JSON.parse(planned.outputs.json ?? '').code.differences, [said]);
    const refused = await scene.run('rollback', { 'require-same-code': 'true' });
    assert.equal(refused.exitCode, 1);
    assert.ok(refused.log.includes(`require-same-code: ${said}`), refused.log);
  });

  test('is switched while Odoo is stopped', async () => {
    const state = join(addons, '.git/switched');
    const command = `${SWITCH}\necho "$ODOO_CODE_DIRECTION" >>${state}`;
    const { log } = await scene.succeeds('rollback', {
      'code-command': command,
      'require-same-code': 'true',
    });
    assert.match(log, /^Stop Odoo$.*^Switch the code to that of the backup$.*^Swap the databases/ms);
    assert.match(log, /The code is that of the backup/);
    assert.equal(await head(), first);
    assert.equal(await readFile(state, 'utf8'), 'back\n');
    // It is the same by now.
    const again = await scene.succeeds('rollback', { 'code-command': 'false', 'dry-run': 'true' });
    assert.match(again.log, /Code +as in the backup/);
    assert.doesNotMatch(again.log, /Switch the code/);
  });

  test('is switched back when what follows fails, or is cancelled', async () => {
    await git('checkout', '-q', 'main');
    const before = await scene.traces();
    const failed = await scene.run('rollback', {
      'code-command': SWITCH,
      'health-check': 'http://127.0.0.1:9/ within 1s',
    });
    assert.equal(failed.exitCode, 1);
    assert.match(failed.log, /Switch the code to what it was before/);
    assert.equal(await head(), second);
    assert.deepEqual(await scene.traces(), before);
    for (const step of [/^Switch the code/m, /^Swap the databases/m]) {
      const cut = scene.start('rollback', { 'code-command': SWITCH });
      await cut.says(step);
      cut.child.kill('SIGTERM');
      assert.equal((await cut.ended).exitCode, 143);
      assert.equal(await head(), second);
      assert.deepEqual(await scene.traces(), before);
    }
  });

  test('stays where the command fails, and where it has done nothing', async () => {
    const failed = await scene.run('rollback', { 'code-command': 'echo no such tag >&2; exit 3' });
    assert.equal(failed.exitCode, 1);
    assert.match(failed.log, /no such tag/);
    assert.match(failed.log, /The code is what it was before all the same/);
    assert.doesNotMatch(failed.log, /Undoing failed/);
    const nothing = await scene.run('rollback', { 'code-command': 'true', 'require-same-code': 'true' });
    assert.equal(nothing.exitCode, 1);
    assert.match(nothing.log, /code-command has ended well, and the code is not that of the backup/);
    assert.equal(await head(), second);
  });

  test('that is not back keeps Odoo stopped: a person gets the commands', async () => {
    const half = await scene.run('rollback', { 'code-command': `${SWITCH}\necho no such tag >&2; exit 3` });
    assert.equal(half.exitCode, 1);
    assert.equal(await head(), second, 'the undo has switched it, and failed then');
    assert.doesNotMatch(half.log, /Undoing failed/);
    const stuck = await scene.run('rollback', {
      'code-command': `[ "$ODOO_CODE_DIRECTION" = back ] || exit 4\n${SWITCH}\nexit 3`,
    });
    assert.equal(stuck.exitCode, 1);
    assert.equal(await head(), first);
    assert.match(stuck.log, /Undoing failed as well/);
    assert.match(stuck.log, /not done, because database, filestore or code is not back/);
    await git('checkout', '-q', 'main');
  });

  test('of a receipt that nobody has signed is not fetched: its commit has to be on the host', async () => {
    const [key = ''] = (await scene.traces()).objects.filter((each) => each.endsWith('.json'));
    const receipt = await scene.receipt(key);
    const forged = 'f'.repeat(40);
    const checkouts = [
      { path: addons, commit: forged, branch: 'main' },
      { path: '/etc', commit: forged },
    ];
    await scene.putReceipt(key, { ...receipt, code: { checkouts, images: [], packages: {} } });
    const { exitCode, log } = await scene.run('rollback', { 'code-command': 'touch /tmp/never' });
    assert.equal(exitCode, 1);
    assert.match(
      log,
      /code-command: the backup names the commit ffffffff of .*, which the host does not have/,
    );
    for (const commit of ['$(id)', '--upload-pack=x', `${forged}\n`, 'main']) {
      const raw = { ...receipt, code: { checkouts: [{ path: addons, commit }], images: [], packages: {} } };
      await scene.putReceipt(key, raw);
      const refused = await scene.run('rollback', { 'code-command': 'touch /tmp/never' });
      assert.notEqual(refused.exitCode, 0);
      assert.match(refused.log, /is not a receipt|no backup|There is no/i);
    }
    await scene.putReceipt(key, receipt);
  });

  test('with files that differ from the commit is told', async () => {
    await appendFile(join(addons, 'sale.py'), 'hot fix\n');
    const { log } = await scene.succeeds('backup');
    assert.match(log, new RegExp(`Code: ${addons} at ${second.slice(0, 8)} \\(main\\), with changes`));
    await writeFile(join(addons, 'new.py'), '');
    const planned = await scene.succeeds('rollback', { 'dry-run': 'true' });
    assert.match(planned.log, /with files that differ from it then and now/);
  });
});
