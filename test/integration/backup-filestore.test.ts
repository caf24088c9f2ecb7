import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, beforeEach, suite, test } from 'node:test';
import { member, members } from '../support/backup-check.ts';
import { type Made, Scene } from '../support/backup-run.ts';
import { createOdoo, type Odoo } from '../support/odoo.ts';
import { psql } from '../support/postgres.ts';
import { run } from '../support/processes.ts';
import { type SeenRequest, startS3Proxy } from '../support/s3-proxy.ts';

suite('the filestore', () => {
  let scene: Scene;
  let odoo: Odoo;
  before(async () => {
    scene = await Scene.open();
  });
  beforeEach(async () => {
    await odoo?.[Symbol.asyncDispose]();
    odoo = await createOdoo(scene.sandbox);
  });
  after(async () => {
    await odoo?.[Symbol.asyncDispose]();
    await scene?.[Symbol.asyncDispose]();
  });

  const quick = (): { format: 'odoo'; 'odoo-conf': string } => ({ format: 'odoo', 'odoo-conf': odoo.conf });
  const backup = () => scene.backup(quick());
  const sha1 = (content: Buffer | string) => createHash('sha1').update(content).digest('hex');

  /** Writes a file as Odoo's account; `name` starts at the filestore. */
  async function write(name: string, content: Buffer | string): Promise<string> {
    const path = join(odoo.filestore, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    const { uid, gid } = scene.sandbox.account;
    await run(['chown', '-R', `${uid}:${gid}`, join(odoo.filestore, name.split('/')[0] ?? '')]);
    return name;
  }

  /** An attachment whose file is named by the SHA-1 of `content`, with whatever is on disk. */
  async function attach(content: Buffer, onDisk: Buffer | undefined = content): Promise<string> {
    const name = `${sha1(content).slice(0, 2)}/${sha1(content)}`;
    if (onDisk) await write(name, onDisk);
    const columns = '(name, type, store_fname)';
    await psql(
      scene.sandbox.postgres,
      odoo.database,
      `INSERT INTO ir_attachment ${columns} VALUES ('test', 'binary', '${name}')`,
    );
    return name;
  }

  async function reportOf({ path }: Made) {
    return JSON.parse((await member(path, 'backup.json')).toString()).filestore;
  }

  const archived = async (made: Made, name: string) =>
    member(made.path, `filestore/${name.replaceAll(/[[\]*?\\]/g, '\\$&')}`);

  test('missing attachments are listed, everywhere', async () => {
    const [one, two] = [
      await attach(Buffer.from('one'), undefined),
      await attach(Buffer.from('two'), undefined),
    ];
    for (const name of [one, two]) await rm(join(odoo.filestore, name), { force: true });
    const made = await backup();
    assert.deepEqual((await reportOf(made)).missing.sort(), [one, two].sort());
    assert.equal(made.outputs['missing-files'], '2');
    assert.deepEqual(made.receipt.filestore?.missing, 2);
    assert.match(made.log, /warning: 2 attached files missing on disk, such as /);
    assert.match(made.log, /^⚠️ \S+ is backed up, 2 attachments missing on the host$/m);
    assert.equal(made.receipt.filestore?.files, 205);
  });

  test('missing attachments fail the run where they must not be', async () => {
    const missing = await attach(Buffer.from('gone'));
    await rm(join(odoo.filestore, missing));
    const words = [
      new RegExp(`1 attached file missing on disk, such as ${missing}`),
      /missing-files is fail/,
    ];
    const ended = await scene.fails({ ...quick(), 'missing-files': 'fail' }, 1, ...words);
    assert.doesNotMatch(ended.log, /^ *Dump/m, 'found before anything is dumped');
  });

  test('no filestore, and no attachment that needs one: a notice', async () => {
    await rm(odoo.filestore, { recursive: true });
    await psql(scene.sandbox.postgres, odoo.database, 'UPDATE ir_attachment SET store_fname = NULL');
    const made = await scene.backup({ ...quick(), 'missing-files': 'fail' });
    assert.match(made.log, /There is no filestore on the host, and no attachment needs one/);
    assert.deepEqual(await reportOf(made), {
      files: 0,
      bytes: 0,
      missing: [],
      lost: [],
      corrupt: [],
      skipped: [],
    });
    assert.match(made.log, /^✅/m);
    assert.match(await run(['unzip', '-tq', made.path]), /^No errors/);
  });

  test('no filestore although attachments need it: no backup', async () => {
    await rm(odoo.filestore, { recursive: true });
    const words = [
      /There is no filestore, and 203 attached files should be in it/,
      /Set the input filestore/,
    ];
    await scene.fails(quick(), 1, ...words, new RegExp(`Looked in: ${odoo.filestore}`));
    const without = await scene.backup({ ...quick(), filestore: 'false' });
    assert.equal(without.receipt.filestore, null);
  });

  test('attachments in other storages are counted, and their storages named', async () => {
    const values = [
      "('a', 'binary', 's3_prod://ab/cd', NULL)",
      "('b', 'binary', 's3_prod://ab/ce', NULL)",
      "('c', 'cloud_storage', NULL, 'https://storage.example.com/bucket/1')",
      "('d', 'binary', E'odd\\n::name://x', NULL)",
    ];
    const insert = `INSERT INTO ir_attachment (name, type, store_fname, url) VALUES ${values.join(', ')}`;
    await psql(scene.sandbox.postgres, odoo.database, insert);
    const made = await backup();
    const elsewhere = { s3_prod: 2, 'cloud_storage storage.example.com': 1, 'odd?::name': 1 };
    assert.deepEqual(made.receipt.elsewhere, elsewhere);
    const description = JSON.parse((await member(made.path, 'backup.json')).toString());
    assert.deepEqual(description.attachments.elsewhere, elsewhere);
    assert.match(
      made.log,
      /warning: 4 attachments in other storages than the filestore are left out, such as s3_prod/,
    );
    assert.match(made.log, /^⚠️ \S+ is backed up, 4 attachments in other storages \(s3_prod, /m);
    await scene.fails({ ...quick(), 'missing-files': 'fail' }, 1, /4 attachments in other storages/);
  });

  test('the filestore of another database: no backup', async () => {
    const other = `${odoo.filestore}-other`;
    await mkdir(other);
    await writeFile(join(other, 'file'), 'not of this database');
    await run(['chown', '-R', `${scene.sandbox.account.uid}`, other]);
    const words = /None of the 203 attached files is in the filestore. Looked in: \S+-other/;
    await scene.fails({ ...quick(), filestore: other }, 1, words);
  });

  test('files of every kind', async () => {
    const empty = await attach(Buffer.alloc(0));
    const large = await attach(randomBytes(9 * 2 ** 20));
    const old = sha1('old');
    const names = [
      await write(`${old.slice(0, 3)}/${old}`, 'old'), // as very old Odoo versions have them
      await write('misc/no hash – naïve [1]*?.txt', 'x'),
      await write('misc/it\'s\n$(touch x) `y` "z"', 'quoting'),
      await write('misc/-rf', 'an option'),
    ];
    await write('checklist/ab/abcd', '');
    await write('misc/back\\slash', 'a separator in zip archives of old');
    await symlink(join(odoo.filestore, 'misc/-rf'), join(odoo.filestore, 'misc/link'));
    const made = await backup();
    const report = await reportOf(made);
    assert.deepEqual(
      { ...report, skipped: report.skipped.toSorted() },
      {
        files: 205 + 2 + 4,
        bytes: made.receipt.filestore?.bytes,
        missing: [],
        lost: [],
        corrupt: [],
        skipped: ['misc/back\\slash', 'misc/link'],
      },
    );
    assert.equal(made.receipt.filestore?.skipped, 2);
    assert.match(made.log, /^⚠️ \S+ is backed up, 2 files on the host left out$/m);
    assert.match(
      made.log,
      /warning: 1 file with names that no zip archive can hold are left out, such as misc\/back\\slash/,
    );
    assert.equal((await archived(made, empty)).length, 0);
    assert.equal(sha1(await archived(made, large)), large.slice(3));
    const script = 'import sys, zipfile, json; print(json.dumps(zipfile.ZipFile(sys.argv[1]).namelist()))';
    const inZip: string[] = JSON.parse(await run(['python3', '-c', script, made.path]));
    for (const name of names) assert.ok(inZip.includes(`filestore/${name}`), name);
    assert.ok(!inZip.some((name) => name.includes('checklist')));
  });

  test('a filestore that lies elsewhere, behind a symbolic link', async () => {
    const elsewhere = `${odoo.filestore}-elsewhere`;
    await rename(odoo.filestore, elsewhere);
    await symlink(elsewhere, odoo.filestore);
    const made = await backup();
    assert.equal(made.receipt.filestore?.files, 205);
    assert.ok(!(await members(made.path)).some((name) => name.includes('checklist')));
  });

  test('a file that is being written is read again, until it is whole', async () => {
    const small = randomBytes(100_000);
    const large = randomBytes(9 * 2 ** 20);
    const torn = [
      await attach(small, small.subarray(0, 50_000)),
      await attach(large, large.subarray(0, 5_000_000)),
    ];
    const running = scene.start(quick());
    await running.says(/^ *Filestore: 207 files/m); // it is read from now on
    await Promise.all([write(torn[0] ?? '', small), write(torn[1] ?? '', large)]);
    const made = await scene.made(await running.ended);
    assert.deepEqual((await reportOf(made)).corrupt, []);
    for (const name of torn) assert.equal(sha1(await archived(made, name)), name.slice(3));
  });

  test('a file that stays torn is kept, and told', async () => {
    const torn = await attach(randomBytes(1000), Buffer.from('something else'));
    const made = await backup();
    assert.deepEqual((await reportOf(made)).corrupt, [torn]);
    assert.equal((await archived(made, torn)).toString(), 'something else');
    assert.match(made.log, new RegExp(`warning: 1 file .*SHA-1.*${torn}`));
    await scene.fails({ ...quick(), 'missing-files': 'fail' }, 1, new RegExp(`SHA-1.*${torn}`));
  });

  test('a file that vanishes is lost where an attachment names it', async () => {
    const [named, unnamed] = [await attach(Buffer.from('named')), await write('00/unnamed', 'x')];
    const removed = Promise.withResolvers<void>();
    const fault = { kind: 'withhold', until: () => removed.promise } as const;
    const isList = ({ query }: SeenRequest) => query.has('list-type') && !query.has('max-keys');
    await using proxy = await startS3Proxy(scene.sandbox.s3, [{ when: isList, fault }]);
    const running = scene.start({ ...quick(), 's3-endpoint': proxy.endpoint });
    await running.says(/files on disk, with/); // it is listed by now, and not read before the bucket is
    for (const name of [named, unnamed]) await rm(join(odoo.filestore, name));
    removed.resolve();
    const made = await scene.made(await running.ended);
    const { lost, missing, files } = await reportOf(made);
    assert.deepEqual({ lost, missing, files }, { lost: [named], missing: [], files: 205 });
    assert.equal(made.outputs['missing-files'], '1');
    assert.match(made.log, /warning: 1 file .*disappeared while/);
  });

  test('a file that nobody may read fails the run', async () => {
    const secret = await attach(Buffer.from('unreadable'));
    await chmod(join(odoo.filestore, secret), 0);
    const { uid } = scene.sandbox.account;
    assert.notEqual(uid, 0);
    await scene.fails(
      quick(),
      1,
      /1 files? of the filestore cannot be read/,
      new RegExp(secret),
      /Make .* readable for/,
    );
  });

  test('a folder that nobody may enter fails the run', async () => {
    await chmod(dirname(odoo.filestore), 0);
    await scene.fails(quick(), 1, /filestore: \S+ may not look into \S+\/filestore\/\S+ on/, /sudoers/);
    await chmod(dirname(odoo.filestore), 0o755);
    const folder = (await readdir(odoo.filestore)).find((name) => name !== 'checklist') ?? '';
    await chmod(join(odoo.filestore, folder), 0);
    await scene.fails(quick(), 1, new RegExp(`${folder}.*Permission denied`, 's'));
  });
});
