import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { sqlOf } from '../support/backup-check.ts';
import { type Content, CopyScene } from '../support/copy-scene.ts';
import { zipOf } from '../support/foreign-archives.ts';
import { archive, createOdoo } from '../support/odoo.ts';
import { run } from '../support/processes.ts';

/** Options of pg_dump after which a copy is no other. */
const HARMLESS = [
  '--use-set-session-authorization',
  '--no-privileges',
  '--column-inserts',
  '--on-conflict-do-nothing',
  '--disable-triggers',
  '--enable-row-security',
];

suite('what other programs have backed up', { concurrency: 3 }, () => {
  let scene: CopyScene;
  let content: Content;
  before(async () => {
    scene = await CopyScene.open();
    content = await scene.content();
  });
  after(() => scene?.[Symbol.asyncDispose]());

  const zip = async (files: Readonly<Record<string, Promise<string>>>, filestore?: string) => {
    const paths = Object.entries(files).map(async ([name, path]) => [name, await path] as const);
    return zipOf(scene.odoo.scene.odoo, { files: Object.fromEntries(await Promise.all(paths)), filestore });
  };
  const plain = (name: string, ...options: string[]) => scene.dump(`${name}.sql`, '--no-owner', ...options);

  /** By whom, the object's name, and what it is. */
  const archives: Record<
    string,
    { readonly name: string; make(): Promise<Uint8Array>; readonly of?: 'fixture' }
  > = {
    'Odoo’s database manager': { name: 'odoo14.zip', make: () => readFile(archive), of: 'fixture' },
    'click-odoo-backupdb': {
      name: 'click-odoo.zip',
      make: async () => {
        const manifest = join(scene.odoo.scene.folder, 'manifest.json');
        await run(['sh', '-c', `unzip -p ${archive} manifest.json >"$1"`, 'sh', manifest]);
        return zip({ 'manifest.json': Promise.resolve(manifest), 'dump.sql': plain('click') });
      },
    },
    'OCA auto_backup': {
      name: '2026_02_16_09_00_00.dump.zip',
      make: () => readFile(archive),
      of: 'fixture',
    },
    'the Ansible system': {
      name: 'live_2026-02-16_09-00-00.zip',
      make: () =>
        zip({
          'live_2026-02-16_09-00-00.dump': scene.dump('ansible.dump', '--format=custom'),
          'live_2026-02-16_09-00-00.sql': scene.dump('ansible.sql'),
        }),
    },
    'the Ansible system, plain, with the folder of all filestores': {
      name: 'live_2026-02-15_09-00-00.zip',
      make: () =>
        zip({ 'live_2026-02-15_09-00-00.sql': scene.dump('plain.sql') }, `filestore/${scene.odoo.database}`),
    },
    'zip -r': {
      name: 'by-hand.zip',
      make: async () => {
        const { filestore } = scene.odoo.scene.odoo;
        const folder = join(scene.odoo.scene.folder, 'by-hand');
        const script =
          'mkdir "$1" && cp "$2" "$1/dump.sql" && cp -r "$3" "$1/filestore" && cd "$1" && zip -qr ../by-hand.zip ./dump.sql ./filestore';
        await run(['sh', '-c', script, 'sh', folder, await plain('by-hand'), filestore]);
        return readFile(`${folder}.zip`);
      },
    },
    'pg_dump --format=directory beside the filestore': {
      name: 'directory.zip',
      make: () => zip({ dump: scene.dump('directory', '--format=directory', '--jobs=2') }),
    },
  };

  /** Dumps of the database alone: the first bytes say what each is. */
  const dumps: Record<string, () => Promise<Uint8Array>> = {
    'bare_2026-02-16_10-00-00.dump': async () => readFile(await scene.dump('bare.dump', '--format=custom')),
    'bare.sql': async () => readFile(await scene.dump('bare.sql')),
    'bare.sql.gz': async () => gzipSync(await readFile(await plain('packed'))),
    'bare.sql.zst': async () => zstdCompressSync(await readFile(await plain('zstd'))),
    'bare.dump.gz': async () => gzipSync(await readFile(await scene.dump('packed.dump', '--format=custom'))),
    'bom.sql': async () => Buffer.concat([Buffer.from('\ufeff'), await readFile(await plain('bom'))]),
    'clean.sql': async () => readFile(await plain('clean', '--clean')),
    'clean_if_exists.sql': async () => readFile(await plain('if-exists', '--clean', '--if-exists')),
    'clean_quoted.sql': async () =>
      readFile(await plain('clean-quoted', '--clean', '--if-exists', '--quote-all-identifiers')),
    'rights.sql': async () => readFile(await scene.dump('rights.sql', ...HARMLESS)),
    'rights.dump': async () => readFile(await scene.dump('rights.dump', '--format=custom', ...HARMLESS)),
    'create.dump': async () =>
      readFile(await scene.dump('create.dump', '--format=custom', '--clean', '--create', '--no-owner')),
    'inserts.sql': async () => readFile(await plain('inserts', '--inserts', '--rows-per-insert=100')),
  };
  for (const [name, make] of Object.entries(dumps)) {
    test(`pg_dump: ${name}`, async () => {
      const backup = await scene.put(name, await make());
      const copy = name.replaceAll(/\W/g, '_');
      const refused = await scene.odoo.run('restore', {
        'target-database': scene.named(copy),
        'stop-command': '',
        'start-command': '',
        backup,
      });
      assert.equal(refused.exitCode, 1, refused.log);
      assert.match(refused.log, /has no receipt: nobody has verified .*allow-unverified: true/s);

      const { log } = await scene.restoreUnchanged(copy, { backup, 'allow-unverified': 'true' });
      const sql = await sqlOf(scene.odoo.scene.sandbox.postgres, scene.named(copy));
      assert.ok(sql === content.sql, 'other rows');
      assert.ok(!existsSync(scene.filestoreOf(scene.named(copy))), 'nobody has backed up a filestore');
      assert.match(log, /no receipt: nobody has verified that it is whole/);
      assert.match(log, /warning: The backup is of the database alone/);
    });
  }

  test('what was left out of a dump is told, where Odoo can do without it', async () => {
    const words = /warning: The dump has no rows of mail_message, as pg_dump --exclude-table-data writes it/;
    for (const format of ['custom', 'plain']) {
      const path = await scene.dump(
        `out.${format}`,
        `--format=${format}`,
        '--exclude-table-data=mail_message',
      );
      const backup = await scene.put(`out.${format}`, await readFile(path));
      const { log } = await scene.restoreUnchanged(`out_${format}`, { backup, 'allow-unverified': 'true' });
      assert.match(log, words);
      assert.equal(await scene.sql('SELECT count(*) FROM mail_message', scene.named(`out_${format}`)), '0');
      const less = await scene.dump(`less.${format}`, `--format=${format}`, '--exclude-table=mail_message');
      const inputs = {
        backup: await scene.put(`less.${format}`, await readFile(less)),
        'allow-unverified': 'true',
      };
      const copied = await scene.restoreUnchanged(`less_${format}`, inputs);
      assert.match(
        copied.log,
        /warning: The dump lacks the tables mail_message, as pg_dump --exclude-table writes it/,
      );
    }
  });

  test('a primary key that its database has lost is told', async () => {
    const dump = await readFile(await plain('keyless'), 'utf8');
    const key = /ALTER TABLE ONLY public\.res_partner\s+ADD CONSTRAINT res_partner_pkey PRIMARY KEY \(id\);/;
    const references =
      /ALTER TABLE ONLY public\.\w+\s+ADD CONSTRAINT \w+ FOREIGN KEY \(\w+\) REFERENCES public\.res_partner\(id\)[^;]*;/g;
    assert.match(dump, key);
    const backup = await scene.put('keyless.sql', dump.replace(key, '').replaceAll(references, ''));
    const { log } = await scene.restoreUnchanged('keyless', { backup, 'allow-unverified': 'true' });
    assert.match(log, /warning: The dump has no primary key of res_partner/);
  });

  /** What the archive of the fixture holds. */
  async function fixtureContent(): Promise<Content> {
    const { sandbox } = scene.odoo.scene;
    await using odoo = await createOdoo(sandbox, { fixture: 'full' });
    return { ...content, sql: await sqlOf(sandbox.postgres, odoo.database) }; // its attachments are the same
  }

  for (const [program, { name, make, of }] of Object.entries(archives)) {
    test(`${program}: ${name}`, async () => {
      const key = await scene.put(name, await make());
      const copy = name.replaceAll(/\W/g, '_').toLowerCase();
      const { log } = await scene.restoreUnchanged(copy, { backup: key, 'allow-unverified': 'true' });
      await scene.assertContent(copy, of === 'fixture' ? await fixtureContent() : content);
      assert.match(log, /no receipt: nobody has verified that it is whole/);
    });
  }
});
