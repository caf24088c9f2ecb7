import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { dirname } from 'node:path/posix';
import { text } from 'node:stream/consumers';
import { suite, test } from 'node:test';
import { Accounts } from '../../src/host/accounts.ts';
import type { Host } from '../../src/host/host.ts';
import { actAsOwner } from '../../src/host/owned-folder.ts';
import { receiveFiles } from '../../src/host/receive-files.ts';
import { run } from '../../src/host/run.ts';
import { FileList } from '../../src/odoo/file-list.ts';
import { findFilestore, listFilestore, readFilestore, type Skipped } from '../../src/odoo/filestore.ts';
import { stageFilestore } from '../../src/odoo/staging.ts';
import { login } from '../support/login.ts';
import { useRootedBackups } from '../support/rooted-backup.ts';
import { type RootedHost, type RootedHostOptions, startRootedHost } from '../support/rooted-host.ts';
import { useSandbox } from '../support/sandbox.ts';

/**
 * The account that runs Odoo writes the filestore, and the account that logs in, or root, works on it. What the first
 * puts there must not make the others read, give away or write anything that the first may not.
 */
const needsRoot = { skip: process.getuid?.() === 0 ? false : 'needs root', concurrency: false };

const SECRET = 'only deploy may read this';
const sha1 = (content: string) => createHash('sha1').update(content).digest('hex');
const nameOf = (content: string) => `${sha1(content).slice(0, 2)}/${sha1(content)}`;

/** Lets Odoo's account do something. */
const asOdoo = ({ exec }: RootedHost, script: string): Promise<string> =>
  exec(['runuser', '-u', 'odoo', '--', 'sh', '-ec', script]);

/** A file of deploy's alone, in a folder of deploy's. */
async function hideSecret({ exec }: RootedHost): Promise<void> {
  const script = `umask 077; mkdir -p /home/deploy/private; printf %s '${SECRET}' >/home/deploy/private/${sha1(SECRET)}
    chown -R deploy: /home/deploy/private; chmod 755 /home/deploy; chmod 711 /home/deploy/private`;
  await exec(['sh', '-ec', script]);
}

/** Lets everybody read a filestore, as it is where backups are made without sudo. */
const openToAll = ({ exec, filestore }: RootedHost): Promise<string> =>
  exec(['sh', '-ec', `chmod -R a+rX /var/lib/odoo ${filestore}`]);

/** The home of root on the host, apart from this machine's own. */
const OWN_ROOT = 'mount -t tmpfs -o mode=755 tmpfs /root';

async function onHost(
  sudoers: string | undefined,
  body: (scene: HostScene) => Promise<void>,
  options: RootedHostOptions = {},
) {
  const sandbox = useSandbox();
  await using rooted = await startRootedHost(sandbox, {
    ...options,
    ...(sudoers === undefined ? {} : { sudoers }),
  });
  await using host = await login(sandbox, rooted);
  await body({ rooted, host, accounts: new Accounts(host, 'auto') });
}

interface HostScene {
  readonly rooted: RootedHost;
  readonly host: Host;
  readonly accounts: Accounts;
}

/** What a backup would read, by name, and what it would leave out. */
async function readAll(
  { rooted, host, accounts }: HostScene,
  change: () => Promise<unknown> = async () => {},
) {
  const filestore = await findFilestore(host, accounts, [rooted.filestore], ['odoo', 'root']);
  assert.ok(filestore);
  const skipped = new Map<string, Skipped>();
  const list = new FileList(
    await Array.fromAsync(listFilestore(filestore, (name, why) => skipped.set(name, why))),
  );
  await change();
  const contents = new Map<string, string>();
  const report = await readFilestore(filestore, list, list.numbers(), {
    async add(name, content) {
      contents.set(name, Buffer.isBuffer(content) ? content.toString() : await text(content));
    },
    drop: (name) => contents.delete(name),
    progress() {},
  });
  return { filestore, skipped, contents, report };
}

for (const [what, sudoers] of [
  ['read as odoo', 'deploy ALL=(odoo) NOPASSWD: ALL'],
  ['read as odoo by root', 'deploy ALL=(root) NOPASSWD: ALL'],
  ['read as deploy, who may become nobody', '# nobody'],
] as const) {
  suite(`links in a filestore that is ${what}`, needsRoot, () => {
    test('are not followed: to a file, to a folder, to nothing, to themselves', async () => {
      await onHost(sudoers, async (scene) => {
        const { rooted } = scene;
        await hideSecret(rooted);
        await openToAll(rooted);
        const name = nameOf(SECRET);
        const links = `cd ${rooted.filestore}; umask 022; mkdir -p misc ${name.slice(0, 2)}
          ln -s /home/deploy/private/${sha1(SECRET)} ${name}
          ln -s /home/deploy/private zz
          ln -s /nowhere misc/nowhere; ln -s loop misc/loop; ln -s ../.. misc/up`;
        await asOdoo(rooted, links);
        const { skipped, contents, report } = await readAll(scene);
        assert.deepEqual(
          [...skipped].toSorted(),
          [name, 'misc/loop', 'misc/nowhere', 'misc/up', 'zz'].map((each) => [each, 'link']).toSorted(),
        );
        assert.equal(report.files, 205);
        assert.ok(![...contents.values()].includes(SECRET));
      });
    });

    test('are not followed either when they are put there between the listing and the reading', async () => {
      await onHost(sudoers, async (scene) => {
        const { rooted } = scene;
        await hideSecret(rooted);
        const [file, inFolder] = [nameOf('a file'), nameOf(SECRET)];
        const write = (name: string, content: string) =>
          `mkdir -p ${name.slice(0, 2)}; printf %s '${content}' >${name}`;
        const before = `cd ${rooted.filestore}; umask 022; ${write(file, 'a file')}; ${write(inFolder, SECRET.replace('d', 'D'))}`;
        await asOdoo(rooted, before);
        await openToAll(rooted);
        const swap = `cd ${rooted.filestore}; ln -sf /home/deploy/private/${sha1(SECRET)} ${file}
          mv ${inFolder.slice(0, 2)} elsewhere; ln -s /home/deploy/private ${inFolder.slice(0, 2)}`;
        const { contents, report } = await readAll(scene, () => asOdoo(rooted, swap));
        assert.ok(![...contents.values()].includes(SECRET));
        assert.ok(report.lost.includes(file) && report.lost.includes(inFolder), 'what is gone is told');
      });
    });
  });
}

suite('other ways to a file of somebody else', needsRoot, () => {
  test('a hard link, which fs.protected_hardlinks refuses, is left out where deploy reads', async () => {
    await onHost('# nobody', async (scene) => {
      const { rooted } = scene;
      await hideSecret(rooted);
      await openToAll(rooted);
      // Where the setting is 0, Odoo's account can do it itself.
      const file = `${rooted.filestore}/00/${sha1(SECRET)}`;
      const link = `mkdir -p ${rooted.filestore}/00; chmod 755 ${rooted.filestore}/00
        mkdir -p /var/lib/odoo/deploys; printf %s '${SECRET}' >/var/lib/odoo/deploys/file
        chown deploy: /var/lib/odoo/deploys/file; chmod 600 /var/lib/odoo/deploys/file; ln /var/lib/odoo/deploys/file ${file}`;
      await rooted.exec(['sh', '-ec', link]);
      const { skipped, contents } = await readAll(scene);
      assert.deepEqual([...skipped], [[`00/${sha1(SECRET)}`, 'foreign']]);
      assert.ok(![...contents.values()].includes(SECRET));
    });
  });

  test('an account that may not be acted as reads what is the owner’s, whole', async () => {
    await onHost('# nobody', async (scene) => {
      await openToAll(scene.rooted);
      const { filestore, report } = await readAll(scene);
      assert.deepEqual([filestore.account, report.files, report.lost], ['deploy', 205, []]);
    });
  });

  // As a volume of Docker is, which lies below a folder that only root may enter.
  const inVolume = '/var/lib/docker/volumes/data/filestore/shop';
  const toVolume = (from: string) => `mkdir -p ${dirname(inVolume)}; chmod 710 /var/lib/docker
    mv ${from} ${inVolume}; chown odoo: ${dirname(inVolume)}`;

  test('root reads what its owner cannot reach, and the owner’s files alone', async () => {
    const scene = async ({ rooted, host, accounts }: HostScene) => {
      const name = nameOf(SECRET);
      const hide = `umask 077; mkdir -p ${inVolume}/${name.slice(0, 2)}; printf %s '${SECRET}' >${inVolume}/${name}`;
      await rooted.exec(['sh', '-ec', `${toVolume(rooted.filestore)}; ${hide}`]);
      const list = `cd ${inVolume}; find . -type f -user odoo -printf '%P\\n' | sort | head -n 1`;
      const swapped = (await rooted.exec(['sh', '-ec', list])).trim();
      const swap = `ln -sf ${inVolume}/${name} ${inVolume}/${swapped}`;
      const { skipped, contents, report } = await readAll(
        { rooted: { ...rooted, filestore: inVolume }, host, accounts },
        () => rooted.exec(['sh', '-ec', swap]),
      );
      assert.deepEqual([...skipped], [[name, 'foreign']]);
      assert.equal(report.files, 204);
      assert.deepEqual(report.lost, [swapped]);
      assert.ok(![...contents.values()].includes(SECRET));
    };
    await onHost('deploy ALL=(root) NOPASSWD: ALL', scene, { without: ['setpriv'] });
  });

  test('the owner, brought there by root, works in no folder that was put in its place since', async () => {
    await onHost('deploy ALL=(root) NOPASSWD: ALL', async ({ rooted, host, accounts }) => {
      await rooted.exec(['sh', '-ec', toVolume(rooted.filestore)]);
      const live = await actAsOwner(host, accounts, inVolume, ['odoo', 'root']);
      const list = live.command(['ls', dirname(inVolume)]);
      assert.equal(await run(host, list), 'shop\n');
      assert.equal(await run(host, live.command(['id', '-un'])), 'odoo\n');
      await rooted.exec([
        'sh',
        '-ec',
        `mv ${dirname(inVolume)} /var/lib/moved; ln -s /home ${dirname(inVolume)}`,
      ]);
      await assert.rejects(run(host, list), /\/filestore is another folder now/);
    });
  });
});

suite('a link in place of the filestore', needsRoot, () => {
  const everything = 'deploy ALL=(ALL) NOPASSWD: ALL';
  const both = async ({ rooted, host, accounts }: HostScene, error: RegExp) => {
    await assert.rejects(findFilestore(host, accounts, [rooted.filestore], ['odoo', 'root']), error);
    await assert.rejects(actAsOwner(host, accounts, rooted.filestore, ['odoo', 'root']), error);
  };

  for (const [what, folder, error] of [
    [
      'root',
      '/root/private',
      /symbolic link that belongs to odoo, and leads to \/root\/private, which belongs to root/,
    ],
    [
      'deploy',
      '/home/deploy/private',
      /belongs to odoo, and leads to \/home\/deploy\/private, which belongs to deploy/,
    ],
  ] as const) {
    test(`to a folder of ${what} makes nobody act as ${what}`, async () => {
      await onHost(everything, async (scene) => {
        const { rooted } = scene;
        await hideSecret(rooted);
        await rooted.exec(['sh', '-ec', `${OWN_ROOT}; mkdir /root/private; chmod 755 /root/private`]);
        await asOdoo(
          rooted,
          `mv ${rooted.filestore} ${rooted.filestore}2; ln -s ${folder} ${rooted.filestore}`,
        );
        await both(scene, error);
      });
    });
  }

  test('or of a folder above it', async () => {
    await onHost(everything, async (scene) => {
      const { rooted } = scene;
      await rooted.exec(['sh', '-ec', `${OWN_ROOT}; mkdir -p /root/x/filestore/${rooted.database}`]);
      const data = '/var/lib/odoo/.local/share/Odoo';
      await asOdoo(rooted, `mv ${data} ${data}2; ln -s /root/y ${data}; ls -d ${data}2`);
      await rooted.exec(['ln', '-s', 'x', '/root/y']);
      await both(scene, /symbolic link that belongs to odoo/);
    });
  });

  test('of root’s leads where an admin says: to another disk', async () => {
    await onHost('deploy ALL=(odoo) NOPASSWD: ALL', async (scene) => {
      const { rooted, host, accounts } = scene;
      const move = `mkdir -p /srv/disk; mv ${rooted.filestore} /srv/disk/prod; ln -s /srv/disk/prod ${rooted.filestore}`;
      await rooted.exec(['sh', '-ec', `mount -t tmpfs tmpfs /srv; ${move}`]);
      const { report } = await readAll(scene);
      assert.equal(report.files, 205);
      const live = await actAsOwner(host, accounts, rooted.filestore, ['odoo']);
      assert.deepEqual([live.path, live.owner], ['/srv/disk/prod', 'odoo']);
    });
  });

  test('that refers to itself', async () => {
    await onHost(everything, async (scene) => {
      const { rooted } = scene;
      await asOdoo(
        rooted,
        `mv ${rooted.filestore} ${rooted.filestore}2; ln -s ${rooted.database} ${rooted.filestore}`,
      );
      await both(scene, /symbolic link that refers to itself/);
    });
  });

  test('a folder of another account’s is refused without a link as well', async () => {
    await onHost(everything, async (scene) => {
      const { exec, filestore } = scene.rooted;
      for (const account of ['deploy', 'nobody', 'root']) {
        await exec(['chown', '-R', `${account}:`, filestore]);
        await both(scene, /belongs to (deploy|nobody|root), and the folder that it is in to odoo/);
      }
    });
  });

  test('one of root’s is, unless Odoo runs as root and all of it is root’s', async () => {
    await onHost(everything, async (scene) => {
      const { exec, filestore } = scene.rooted;
      await exec(['chown', '-R', 'root:', `${filestore}/..`]);
      await both(scene, /belongs to root, and no Odoo runs as root/);
      await exec(['bash', '-c', '(exec -a /usr/bin/odoo sleep 900) >/dev/null 2>&1 </dev/null &']);
      const live = await actAsOwner(scene.host, scene.accounts, filestore, ['odoo', 'root']);
      assert.equal(live.owner, 'root');
      await exec(['sh', '-c', `chown odoo: "$(find ${filestore} -mindepth 1 -type d | head -n 1)"`]);
      await both(scene, /belongs to root, but other accounts may write to parts of it/);
    });
  });
});

suite('what a restore writes', needsRoot, () => {
  test('is written as odoo, and never through a link to what odoo may not write', async () => {
    await onHost('deploy ALL=(root) NOPASSWD: ALL', async (scene) => {
      const { rooted, host, accounts } = scene;
      await hideSecret(rooted);
      const live = await actAsOwner(host, accounts, rooted.filestore, ['odoo', 'root']);
      const wanted = new FileList(await Array.fromAsync(listFilestore(live)));
      const staged = `${rooted.filestore}__new_20261121034100`;
      const [first] = wanted;
      assert.ok(first);
      // A live file that became a link to deploy's: neither linked nor copied.
      await asOdoo(
        rooted,
        `cd ${rooted.filestore}; ln -sf /home/deploy/private/${sha1(SECRET)} ${first.name}`,
      );
      const { missing } = await stageFilestore(live, staged, wanted, { cores: 2 });
      assert.deepEqual([...wanted.values(missing)], [first]);
      assert.equal((await rooted.exec(['find', staged, '-type', 'l'])).trim(), '');
      // A folder of the new one that became a link.
      await asOdoo(
        rooted,
        `cd ${staged}; rm -rf ${first.name.slice(0, 2)}; ln -s /home/deploy/private ${first.name.slice(0, 2)}`,
      );
      const file = { name: first.name, size: 3, content: Buffer.from('new') };
      const files = (async function* () {
        yield file;
      })();
      await receiveFiles({ ...live, path: staged }, files).catch(() => {});
      assert.equal((await rooted.exec(['ls', '/home/deploy/private'])).trim(), sha1(SECRET));
    });
  });
});

suite('a backup of such a host', needsRoot, () => {
  const { onHost: onBackupHost, succeeds, fails } = useRootedBackups();

  test('holds no file of the account that logs in, and names what it left out', async () => {
    await onBackupHost({}, async (host) => {
      await hideSecret(host);
      await openToAll(host);
      await asOdoo(
        host,
        `cd ${host.filestore}; ln -s /home/deploy/private/${sha1(SECRET)} link; ln -s /home/deploy/private zz`,
      );
      const { log, object } = await succeeds(host, { format: 'odoo' });
      assert.match(log, /warning: 2 files that are symbolic links are left out.*, such as (link|zz)/);
      assert.match(log, /Filestore: \S+, read as odoo/);
      assert.ok(!Buffer.from(object).includes('filestore/link'));
      await fails(host, { 'missing-files': 'fail' }, /2 files that are symbolic links are left out/);
    });
  });
});
