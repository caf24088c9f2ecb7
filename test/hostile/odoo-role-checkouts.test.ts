import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { Accounts } from '../../src/host/accounts.ts';
import { LocalHost } from '../../src/host/local-host.ts';
import { findCheckouts, historyOf } from '../../src/odoo/code/checkouts.ts';

const host = new LocalHost();
const accounts = new Accounts(host, 'never');
const execute = promisify(execFile);

/** Whoever holds Odoo's account can write into its checkouts, at which backups and rollbacks look. */
suite('checkouts of somebody else', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'checkouts-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const git = async (path: string, ...words: string[]): Promise<string> => {
    const own = ['-c', 'user.name=t', '-c', 'user.email=t@t'];
    return (await execute('git', ['-C', path, ...own, ...words])).stdout.trim();
  };
  const create = async (name: string): Promise<string> => {
    const path = join(folder, name);
    await mkdir(join(path, 'addons/sale'), { recursive: true });
    await git(path, 'init', '-q', '-b', 'main');
    await writeFile(join(path, 'addons/sale/__init__.py'), '1\n');
    await git(path, 'add', '.');
    await git(path, 'commit', '-q', '-m', 'one');
    return path;
  };
  const find = (...folders: string[]) => findCheckouts(host, accounts, folders, userInfo().username);
  const one = async (path: string) => (await find(path)).checkouts[0];

  test('run nothing that they name, and keep nobody waiting', async () => {
    const path = await create('hostile');
    const ran = join(folder, 'ran');
    const program = join(path, 'program');
    await writeFile(program, `#!/bin/sh\ntouch ${ran}\ncat\n`, { mode: 0o755 });
    await writeFile(join(path, '.gitattributes'), '* filter=evil diff=evil\n');
    await git(path, 'add', '.gitattributes');
    await git(path, 'commit', '-q', '-m', 'attributes');
    for (const name of await readdir(join(path, '.git/hooks'))) await rm(join(path, '.git/hooks', name));
    for (const name of ['post-index-change', 'pre-commit', 'post-checkout', 'reference-transaction']) {
      await writeFile(join(path, '.git/hooks', name), `#!/bin/sh\ntouch ${ran}\n`, { mode: 0o755 });
    }
    const more = join(path, 'more.ini');
    await writeFile(more, `[core]\n\tfsmonitor = ${program}\n`);
    await appendFile(
      join(path, '.git/config'),
      `[include]\n\tpath = ${more}\n[core]\n\tfsmonitor = ${program}\n\tsshCommand = ${program}\n\tpager = ${program}\n
[filter "evil"]\n\tclean = ${program}\n\tprocess = ${program}\n\trequired = true\n[diff "evil"]\n\ttextconv = ${program}\n
[remote "origin"]\n\turl = ext::sh -c touch% ${ran}\n[alias]\n\tstatus = !touch ${ran}\n`,
    );
    await utimes(join(path, 'addons/sale/__init__.py'), new Date(0), new Date(0)); // so that its content is compared
    const checkout = await one(path);
    assert.equal(checkout?.dirty, false);
    assert.equal(checkout?.remote, undefined);
    assert.ok(checkout);
    await historyOf(host, accounts, checkout, checkout.commit);
    assert.equal(existsSync(ran), false);

    // Each of them is left out.
    for (const [i, head] of [
      'ref: refs/../../../etc/passwd\n',
      'ref: refs/heads/x',
      '$(touch ran)\n',
      '',
    ].entries()) {
      const odd = await create(`odd-${i}`);
      await writeFile(join(odd, '.git/HEAD'), head);
      assert.deepEqual((await find(odd)).checkouts, [], head);
    }
    const waiting = await create('waiting');
    await rm(join(waiting, '.git/HEAD'));
    await execute('mkfifo', [join(waiting, '.git/HEAD')]);
    assert.deepEqual((await find(waiting)).checkouts, []);
    assert.deepEqual(await readdir(folder).then((names) => names.includes('ran')), false);
  });

  test('are at the commit that git says, whatever stands in HEAD, refs and packed-refs, or are left out', async () => {
    const path = await create('fuzzed');
    const [first = '', second = ''] = [
      await git(path, 'rev-parse', 'HEAD'),
      await git(path, 'commit', '-q', '--allow-empty', '-m', 'two').then(() =>
        git(path, 'rev-parse', 'HEAD'),
      ),
    ];
    const hash = fc.constantFrom(first, second, '0'.repeat(40), 'f'.repeat(39), first.toUpperCase());
    const name = fc.constantFrom(
      'refs/heads/main',
      'refs/heads/a/b',
      'refs/heads/../x',
      'refs/tags/t',
      'refs/heads/é',
    );
    const end = fc.constantFrom('\n', '', ' \n', '\r\n', '\n\n');
    const line = fc.oneof(
      fc.tuple(hash, name).map((both) => both.join(' ')),
      fc.constantFrom('# pack-refs with: peeled fully-peeled sorted ', `^${first}`, '', 'x y z'),
    );
    const head = fc.oneof(
      fc.tuple(name, end).map(([ref, rest]) => `ref: ${ref}${rest}`),
      fc.tuple(hash, end).map((both) => both.join('')),
    );
    const said = async (): Promise<string> =>
      git(path, 'rev-parse', '--verify', '--quiet', 'HEAD^{commit}').catch(() => '');
    await fc.assert(
      fc.asyncProperty(
        head,
        fc.array(line, { maxLength: 4 }),
        fc.option(fc.tuple(name, hash, end)),
        async (top, packed, loose) => {
          await rm(join(path, '.git/refs'), { recursive: true });
          await mkdir(join(path, '.git/refs/heads'), { recursive: true });
          await writeFile(join(path, '.git/HEAD'), top);
          await writeFile(join(path, '.git/packed-refs'), packed.map((each) => `${each}\n`).join(''));
          if (loose && !loose[0].includes('..')) {
            await mkdir(dirname(join(path, '.git', loose[0])), { recursive: true });
            await writeFile(join(path, '.git', loose[0]), loose[1] + loose[2]);
          }
          const [found, expected] = [await one(path), await said()];
          if (found && expected !== '')
            assert.equal(found.commit, expected, `${JSON.stringify(top)} ${packed.join()}`);
          if (found) assert.match(found.commit, /^[0-9a-f]{40}$/);
        },
      ),
      { numRuns: 40 },
    );
  });
});
