import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { promisify } from 'node:util';
import { Accounts } from '../../../src/host/accounts.ts';
import { LocalHost } from '../../../src/host/local-host.ts';
import { findCheckouts, historyOf } from '../../../src/odoo/code/checkouts.ts';

const host = new LocalHost();
const accounts = new Accounts(host, 'never');
const execute = promisify(execFile);

suite('checkouts', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'checkouts-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const git = async (path: string, ...words: string[]): Promise<string> => {
    const own = ['-c', 'user.name=t', '-c', 'user.email=t@t', '-c', 'protocol.file.allow=always'];
    return (await execute('git', ['-C', path, ...own, ...words])).stdout.trim();
  };
  const create = async (name: string, ...options: string[]): Promise<string> => {
    const path = join(folder, name);
    await mkdir(join(path, 'addons/sale'), { recursive: true });
    await git(path, 'init', '-q', '-b', 'main', ...options);
    await writeFile(join(path, 'addons/sale/__init__.py'), '1\n');
    await git(path, 'add', '.');
    await git(path, 'commit', '-q', '-m', 'one');
    return path;
  };
  const find = (...folders: string[]) => findCheckouts(host, accounts, folders, userInfo().username);
  const one = async (...folders: string[]) => {
    const { checkouts } = await find(...folders);
    assert.equal(checkouts.length, 1);
    return checkouts[0];
  };

  test('are found from a folder inside, once, as git says', async () => {
    const path = await create('plain');
    await git(path, 'remote', 'add', 'origin', 'https://bot:t0ken@example.com/acme/erp.git?x=1');
    const commit = await git(path, 'rev-parse', 'HEAD');
    const { checkouts, unseen } = await find(join(path, 'addons'), path, '/etc', '/no/such/folder');
    assert.deepEqual(checkouts, [
      { path, commit, branch: 'main', remote: 'https://example.com/acme/erp.git', dirty: false },
    ]);
    assert.deepEqual(unseen, []);
  });

  test('are dirty where a file that git tracks has changed, and not by a new file or another time', async () => {
    const path = await create('dirty');
    await writeFile(join(path, 'new.pyc'), '');
    await utimes(join(path, 'addons/sale/__init__.py'), new Date(0), new Date(0));
    assert.equal((await one(path))?.dirty, false);
    await appendFile(join(path, 'addons/sale/__init__.py'), '2\n');
    assert.equal((await one(path))?.dirty, true);
  });

  test('of a commit, of packed refs, of SHA-256, shallow, as worktree and as submodule are as git says', async () => {
    const packed = await create('packed');
    await git(packed, 'pack-refs', '--all');
    const detached = await create('detached');
    await git(detached, 'checkout', '-q', '--detach');
    const long = await create('long', '--object-format=sha256');
    const worktree = join(folder, 'worktree');
    await git(packed, 'worktree', 'add', '-q', '-b', 'feature/x', worktree);
    const upper = await create('upper');
    await git(upper, 'submodule', '--quiet', 'add', packed, 'sub');
    const shallow = join(folder, 'shallow');
    await git(packed, 'commit', '-q', '--allow-empty', '-m', 'two');
    await git(folder, 'clone', '-q', '--depth=1', `file://${packed}`, shallow);
    for (const path of [packed, detached, long, worktree, join(upper, 'sub'), shallow]) {
      const checkout = await one(path);
      assert.equal(checkout?.path, path);
      assert.equal(checkout?.commit, await git(path, 'rev-parse', 'HEAD'));
      assert.equal(checkout?.branch ?? '', await git(path, 'branch', '--show-current'), path);
      assert.equal(checkout?.dirty, false, path);
    }
  });

  test('tell how far two commits are apart, and nothing of one that they do not know', async () => {
    const path = await create('history');
    const first = await git(path, 'rev-parse', 'HEAD');
    for (const name of ['two', 'three']) await git(path, 'commit', '-q', '--allow-empty', '-m', name);
    const now = await one(path);
    assert.ok(now);
    assert.deepEqual(await historyOf(host, accounts, now, first), { onlyThen: 0, onlyNow: 2 });
    assert.equal(await historyOf(host, accounts, now, '1'.repeat(40)), undefined);
  });
});
