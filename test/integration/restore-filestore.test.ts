import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFile, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { Accounts } from '../../src/host/accounts.ts';
import { fileSystemOf } from '../../src/host/disk-space.ts';
import { CommandError } from '../../src/host/host.ts';
import { actAsOwner } from '../../src/host/owned-folder.ts';
import { receiveFiles } from '../../src/host/receive-files.ts';
import type { IncomingFile } from '../../src/host/tar-writer.ts';
import { FileList } from '../../src/odoo/file-list.ts';
import { listFilestore } from '../../src/odoo/filestore.ts';
import {
  listDerivedFolders,
  removeDerivedFolder,
  swapFolders,
  swapFoldersBack,
} from '../../src/odoo/folder-swap.ts';
import { absentFrom, compareFilestore, stageFilestore } from '../../src/odoo/staging.ts';
import { derivedFolder } from '../../src/postgres/derived-names.ts';
import type { BitSet } from '../../src/util/bit-set.ts';
import { login } from '../support/login.ts';
import { run } from '../support/processes.ts';
import { openRestoreHost, timestamp } from '../support/restore-host.ts';
import { startRootedHost } from '../support/rooted-host.ts';
import { useSandbox } from '../support/sandbox.ts';

async function openStage() {
  const scene = await openRestoreHost();
  const { filestore } = scene.odoo;
  const live = await actAsOwner(scene.host, scene.accounts, filestore, ['odoo']);
  const wanted = await Array.fromAsync(listFilestore(live));
  const paths = {
    current: filestore,
    old: derivedFolder(filestore, 'old', timestamp),
    new: derivedFolder(filestore, 'new', timestamp),
  };
  return { ...scene, live, wanted, paths };
}

/** A file as it comes out of an archive: small ones whole, others as a stream. */
function fileOf(text: string, asStream: boolean): IncomingFile {
  const content = Buffer.from(text);
  const sha1 = createHash('sha1').update(content).digest('hex');
  const stream = (async function* () {
    yield content.subarray(0, 10);
    yield content.subarray(10);
  })();
  return { name: `${sha1.slice(0, 2)}/${sha1}`, size: content.length, content: asStream ? stream : content };
}

async function* each<T>(...items: T[]): AsyncGenerator<T> {
  yield* items;
}

suite('staging a filestore', () => {
  test('links what the host has whole; the rest is to be fetched', async () => {
    await using scene = await openStage();
    const { live, paths, wanted } = scene;
    const [torn, gone, longer] = wanted.map(({ name }) => name);
    assert.ok(torn && gone && longer);
    const whole = await readFile(join(paths.current, torn));
    await writeFile(join(paths.current, torn), Buffer.alloc(whole.length)); // in its size, not in its content
    await rm(join(paths.current, gone));
    await appendFile(join(paths.current, longer), 'x');
    const foreign = { name: 'not/a-hash', size: 3 };
    await mkdir(join(paths.current, 'not'));
    await writeFile(join(paths.current, foreign.name), 'abc');

    const all = new FileList([...wanted, foreign]);
    const namesOf = (numbers: BitSet) => Array.from(all.values(numbers), ({ name }) => name);
    const bytesOf = (names: readonly string[]) =>
      names.reduce((sum, name) => sum + all.sizeAt(all.indexOf(name)), 0);
    const wrong = [gone, longer, foreign.name];
    const { missing, onlyLive } = await compareFilestore(live, all);
    assert.deepEqual([missing, onlyLive.files], [{ files: 3, bytes: bytesOf(wrong) }, 0]);
    const others = await compareFilestore(live, new FileList(wanted.slice(1)));
    assert.deepEqual(others.onlyLive, { files: 2, bytes: bytesOf([torn, foreign.name]) });
    const staged = await stageFilestore(live, paths.new, all, { cores: 2 });
    assert.deepEqual(namesOf(staged.missing), [torn, ...wrong]);
    assert.equal(staged.linked.count, wanted.length - 3);
    for (const name of namesOf(staged.linked)) {
      const [from, to] = await Promise.all([stat(join(paths.current, name)), stat(join(paths.new, name))]);
      assert.equal(from.ino, to.ino);
    }
    assert.deepEqual(await absentFrom({ ...live, path: paths.new }, new FileList(wanted)), [
      torn,
      gone,
      longer,
    ]);
    await assert.rejects(
      stageFilestore(live, paths.new, all, { cores: 2 }),
      CommandError,
      'never into what is there',
    );
  });

  test('copies where the file system refuses links', async () => {
    await using scene = await openStage();
    const { live, paths, wanted } = scene;
    const elsewhere = '/dev/shm/restore-filestore-test';
    await scene.host.start({ argv: ['rm', '-rf', elsewhere] }).then((rm) => rm.exited);
    try {
      const staged = await stageFilestore(live, elsewhere, new FileList(wanted), { cores: 2 });
      assert.equal(staged.missing.count, 0);
      assert.deepEqual(await absentFrom({ ...live, path: elsewhere }, new FileList(wanted)), []);
      const [file] = wanted;
      assert.ok(file);
      assert.deepEqual(
        await readFile(join(elsewhere, file.name)),
        await readFile(join(paths.current, file.name)),
      );
    } finally {
      await rm(elsewhere, { recursive: true, force: true });
    }
  });

  test('for a filestore that is not there yet', async () => {
    await using scene = await openStage();
    const { host, accounts, paths, wanted } = scene;
    const fresh = `${paths.current}2`;
    const place = await actAsOwner(host, accounts, fresh, ['odoo']);
    assert.equal(place.exists, false);
    const all = new FileList(wanted);
    const staged = await stageFilestore(place, derivedFolder(fresh, 'new', timestamp), all, { cores: 2 });
    assert.deepEqual([staged.linked.count, staged.missing.count], [0, wanted.length]);
    await assert.rejects(actAsOwner(host, accounts, '/nowhere/filestore/prod', ['odoo']), /belongs to root/);
  });
});

suite('received files', () => {
  test('lie where they belong, with the modes of the live ones', async () => {
    await using scene = await openStage();
    const { live, paths } = scene;
    await stageFilestore(live, paths.new, new FileList(), { cores: 1 });
    const files = [fileOf('', false), fileOf('held', false), fileOf('a stream of some length', true)];
    const place = { ...live, path: paths.new };
    await receiveFiles(place, each(...files));
    assert.deepEqual(await absentFrom(place, new FileList(files)), []);
    const modes = await Promise.all(
      ['', ...files.map(({ name }) => name)].map(
        async (name) => (await stat(join(paths.new, name))).mode & 0o777,
      ),
    );
    assert.deepEqual(modes, [0o755, 0o644, 0o644, 0o644]);
    const disk = await fileSystemOf(place);
    assert.ok(disk && disk.free > 0 && disk.mount.startsWith('/'));
    const { mount } = (await fileSystemOf({ ...place, path: `${place.path}/not/there/yet` })) ?? {};
    assert.equal(mount, disk.mount, 'that of the folder it would be in');
  });

  test('fail with their source, with a wrong size, and where they may not be written', async () => {
    await using scene = await openStage();
    const { live, paths } = scene;
    await stageFilestore(live, paths.new, new FileList(), { cores: 1 });
    const place = { ...live, path: paths.new };
    const broken = new Error('S3 is gone');
    const failing = async function* (): AsyncGenerator<IncomingFile> {
      yield fileOf('one', false);
      throw broken;
    };
    await assert.rejects(receiveFiles(place, failing()), broken);
    await assert.rejects(receiveFiles(place, each({ ...fileOf('short', true), size: 50 })), RangeError);
    const unwritable = { ...place, path: '/proc' };
    await assert.rejects(receiveFiles(unwritable, each(fileOf('x', false))), CommandError);
  });
});

suite('the swap of folders', () => {
  test('and back, twice', async () => {
    await using scene = await openStage();
    const { live, paths, wanted } = scene;
    await stageFilestore(live, paths.new, new FileList(wanted.slice(0, 3)), { cores: 1 });
    await swapFoldersBack(live, paths);
    const count = async (path: string) => (await Array.fromAsync(listFilestore({ ...live, path }))).length;
    await swapFolders(live, paths);
    assert.deepEqual([await count(paths.current), await count(paths.old)], [3, wanted.length]);
    assert.deepEqual(await listDerivedFolders(live), [
      { path: paths.old, derivation: 'old', timestamp, note: null },
    ]);
    for (const _ of ['back', 'again']) {
      await swapFoldersBack(live, paths);
      assert.deepEqual([await count(paths.current), await count(paths.new)], [wanted.length, 3]);
    }
    await removeDerivedFolder(live, paths.new);
    await removeDerivedFolder(live, paths.new);
    assert.deepEqual(await listDerivedFolders(live), []);
    assert.equal(await count(paths.current), wanted.length, 'the links’ other names stay');
  });

  test('changes nothing when it fails; what was cut in between is taken back', async () => {
    await using scene = await openStage();
    const { live, paths } = scene;
    await assert.rejects(swapFolders(live, paths), /__new_\d+ is not there/);
    await swapFoldersBack(live, paths);
    assert.ok((await readdir(paths.current)).length > 0);
    await stageFilestore(live, paths.new, new FileList(), { cores: 1 });
    await run(['mv', paths.current, paths.old]); // killed after the first rename
    await swapFoldersBack(live, paths);
    assert.ok((await readdir(paths.current)).length > 0);
    await stat(paths.new);
    await mkdir(paths.old);
    await assert.rejects(swapFolders(live, paths), /__old_\d+ is there already/);
  });

  test('to a path where nothing is', async () => {
    await using scene = await openStage();
    const { live, paths } = scene;
    await stageFilestore(live, paths.new, new FileList(), { cores: 1 });
    await assert.rejects(swapFolders(live, { ...paths, old: undefined }), /is there already/);
    const target = { current: `${paths.current}2`, old: undefined, new: paths.new };
    await swapFolders(live, target);
    await stat(target.current);
    await swapFoldersBack(live, target);
    await stat(paths.new);
  });

  test('goes where a symbolic link leads', async () => {
    await using scene = await openStage();
    const { host, accounts, paths } = scene;
    await symlink(paths.current, `${paths.current}-link`);
    const live = await actAsOwner(host, accounts, `${paths.current}-link`, ['odoo']);
    assert.equal(live.path, paths.current);
  });

  for (const path of ['/', '/var/lib/odoo', 'prod__new_20261121034100', '/srv/../prod__new_20261121034100']) {
    test(`never removes ${path}`, async () => {
      await using scene = await openStage();
      await assert.rejects(removeDerivedFolder(scene.live, path), TypeError);
    });
  }
});

suite('on a host with accounts of their own', {
  skip: process.getuid?.() === 0 ? false : 'needs root',
}, () => {
  for (const runas of ['odoo', 'root']) {
    test(`files belong to odoo, through sudo to ${runas}`, async () => {
      const sandbox = useSandbox();
      await using rooted = await startRootedHost(sandbox, { sudoers: `deploy ALL=(${runas}) NOPASSWD: ALL` });
      await using host = await login(sandbox, rooted);
      const accounts = new Accounts(host, 'auto');
      const live = await actAsOwner(host, accounts, rooted.filestore, ['odoo', 'root']);
      assert.equal(live.owner, 'odoo');
      const wanted = await Array.fromAsync(listFilestore(live));
      const paths = {
        current: live.path,
        old: derivedFolder(live.path, 'old', timestamp),
        new: derivedFolder(live.path, 'new', timestamp),
      };
      const added = fileOf('fetched', false);
      const all = new FileList([...wanted, added]);
      const staged = await stageFilestore(live, paths.new, all, { cores: 2 });
      assert.deepEqual([...staged.missing], [all.indexOf(added.name)]);
      await receiveFiles({ ...live, path: paths.new }, each(added));
      await swapFolders(live, paths);
      const listed = await rooted.exec(['find', paths.current, '-printf', '%u:%m %y %P\\n']);
      const lines = listed.trim().split('\n');
      assert.ok(lines.includes(`odoo:600 f ${added.name}`));
      assert.ok(lines.every((line) => /^odoo:(700 d|6\d\d f) /.test(line)));
    });
  }

  test('whose filestore nobody may touch', async () => {
    const sandbox = useSandbox();
    await using rooted = await startRootedHost(sandbox, { sudoers: 'deploy ALL=(postgres) NOPASSWD: ALL' });
    await using host = await login(sandbox, rooted);
    const acting = actAsOwner(host, new Accounts(host, 'auto'), rooted.filestore, ['odoo']);
    await assert.rejects(acting, /deploy may not look at/);
  });
});
