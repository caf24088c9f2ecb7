import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { AgeKeys } from '../support/age-keys.ts';
import { restoreSql, sqlOf } from '../support/backup-check.ts';
import type { Ended, Made } from '../support/backup-run.ts';
import type { RawInputs } from '../support/inputs.ts';
import { createDatabase, dropDatabase, psql, uniqueName } from '../support/postgres.ts';
import { run } from '../support/processes.ts';
import { VerifyScene } from '../support/verify-scene.ts';
import { entriesOf } from '../support/zips.ts';

/** Several chunks of age, several requests, and nothing to deflate. */
const large = randomBytes(9 * 2 ** 20 + 1);
const sha1 = createHash('sha1').update(large).digest('hex');

suite('what a sealed backup holds, fetched and by hand', { concurrency: false }, () => {
  const keys = new AgeKeys();
  const [team, safe, stranger] = [keys.newKey(), keys.newKey(), keys.newKey()];
  const decrypt = { 'decrypt-with': safe.text };
  let verify: VerifyScene;
  let folder: string;
  /** The database when it was backed up, and the archive. */
  let sql: string;
  let dual: Made;
  const bare: Made[] = [];

  before(async () => {
    verify = await VerifyScene.open();
    const { odoo, sandbox } = verify.scene;
    await mkdir(join(odoo.filestore, sha1.slice(0, 2)), { recursive: true });
    await writeFile(join(odoo.filestore, sha1.slice(0, 2), sha1), large);
    await run(['chown', '-R', `${sandbox.account.uid}:${sandbox.account.gid}`, odoo.filestore]);
    folder = await mkdtemp(join(verify.scene.folder, 'fetched-'));
    await psql(
      sandbox.postgres,
      odoo.database,
      `INSERT INTO ir_attachment (name, type, res_model, res_id, store_fname, file_size)
        VALUES ('scan.pdf', 'binary', 'account.move', 42, '${sha1.slice(0, 2)}/${sha1}', ${large.length})`,
    );
    sql = await sqlOf(sandbox.postgres, odoo.database);
    dual = await sealed();
    for (const format of ['custom', 'plain']) bare.push(await sealed({ format, filestore: 'false' }));
    for (const { receipt, object } of [dual, ...bare]) await verify.put(receipt, object);
  });
  after(async () => {
    keys[Symbol.dispose]();
    await verify?.[Symbol.asyncDispose]();
  });

  function sealed(inputs: RawInputs = {}): Promise<Made> {
    return verify.scene.backup({ 'encrypt-to': `${team.recipient}\n${safe.recipient}`, ...inputs });
  }

  const fetch = (inputs: RawInputs): Promise<Ended> =>
    verify.run({ backup: dual.receipt.key, ...inputs }, undefined, 'fetch');

  async function fetched(inputs: RawInputs): Promise<Buffer> {
    const output = join(folder, randomBytes(6).toString('hex'));
    const ended = await fetch({ output, ...decrypt, ...inputs });
    assert.equal(ended.exitCode, 0, ended.log);
    return readFile(output);
  }

  test('all members but manifest.json are files of age, and nothing of them is in the clear', async () => {
    const names = [...(await entriesOf(Buffer.from(dual.object))).keys()];
    const others = names.filter((name) => !/^filestore\/..\/[0-9a-f]{40}\.age$/.test(name));
    assert.deepEqual(others.map((name) => name.replace(/^.*(?=\.dump)/, '*')).sort(), [
      '*.dump.gz.age',
      'backup.json.gz.age',
      'dump.sql.gz.age',
      'manifest.json',
    ]);
    assert.deepEqual(Object.keys(dual.receipt.sums ?? {}).sort(), others.toSorted());
    assert.deepEqual(dual.receipt.sealed, { recipients: [team.recipient, safe.recipient], corrupt: [] });
    const text = Buffer.from(dual.object);
    assert.ok(!text.includes(large.subarray(100, 200)));
    assert.ok(!text.includes('PostgreSQL database dump'));
  });

  test('by hand, with unzip, age and gunzip, and by jq and sha256sum', async () => {
    const shell = (script: string) =>
      execFileSync('bash', ['-ec', `set -o pipefail; ${script}`], { cwd: folder, maxBuffer: 2 ** 28 });
    const open = `age -d -i ${team.path}`;
    const zip = dual.path;
    const dump = shell(`unzip -p ${zip} dump.sql.gz.age | ${open} | gunzip`);
    assert.ok(dump.equals(await fetched({ member: 'dump.sql' })));
    const description = JSON.parse(shell(`unzip -p ${zip} backup.json.gz.age | ${open} | gunzip`).toString());
    assert.deepEqual(description.sealed.recipients, [team.recipient, safe.recipient]);
    assert.equal(description.sealed.sizes['dump.sql'], dump.length);
    const file = shell(`unzip -p ${zip} filestore/${sha1.slice(0, 2)}/${sha1}.age | ${open}`);
    assert.ok(file.equals(large));
    const sum = shell(`unzip -p ${zip} dump.sql.gz.age | sha256sum`).toString().slice(0, 64);
    assert.equal(dual.receipt.sums?.['dump.sql.gz.age'], sum);
    assert.throws(() => shell(`unzip -p ${zip} dump.sql.gz.age | age -d -i ${stranger.path}`));
  });

  test('by hand, as docs/restore.md has it', async () => {
    const restore = await readFile(new URL('../../docs/restore.md', import.meta.url), 'utf8');
    const [, script = ''] = /### An encrypted backup by hand.*?```sh\n(.*?)```/s.exec(restore) ?? [];
    const here = await mkdtemp(join(folder, 'by-hand-'));
    await copyFile(team.path, join(here, 'team.key'));
    const ours = script.replace(/^archive=.*$/m, `archive=${dual.path}`);
    execFileSync('sh', ['-ec', ours], { cwd: here });
    assert.ok((await readFile(join(here, 'dump.sql'))).equals(await fetched({ member: 'dump.sql' })));
    assert.ok((await readFile(join(here, 'shop.dump'))).equals(await fetched({ member: '.dump' })));
    const { filestore } = verify.scene.odoo;
    await run(['diff', '-r', '--exclude=checklist', filestore, join(here, 'filestore')]);
  });

  test('whole: the standard zip that Odoo restores, to a file and to standard output', async () => {
    const zip = await fetched({});
    const path = join(folder, 'plain.zip');
    await writeFile(path, zip);
    assert.match(await run(['unzip', '-tq', path]), /^No errors detected/);
    const names = [...(await entriesOf(zip)).keys()].map((name) => name.replace(/^.*(?=\.dump$)/, '*'));
    const files = await run([
      'find',
      verify.scene.odoo.filestore,
      '-path',
      '*/checklist',
      '-prune',
      '-o',
      '-type',
      'f',
      '-printf',
      '%P\n',
    ]);
    const expected = files
      .trim()
      .split('\n')
      .map((name) => `filestore/${name}`);
    assert.deepEqual(
      names.sort(),
      [...expected, '*.dump', 'backup.json', 'dump.sql', 'manifest.json'].sort(),
    );
    const { postgres } = verify.scene.sandbox;
    const copy = uniqueName();
    await createDatabase(postgres, copy);
    await restoreSql(postgres, path, copy);
    assert.ok((await sqlOf(postgres, copy)) === sql, 'other rows');
    await dropDatabase(postgres, copy);
    const extracted = join(folder, 'extracted');
    await run(['unzip', '-q', path, 'filestore/*', '-d', extracted]);
    const sums = await run([
      'sh',
      '-c',
      `cd ${extracted}/filestore && find . -type f -printf '%f\\n' | sort >../n; find . -type f -exec sha1sum {} + | cut -c1-40 | sort >../s; cmp ../n ../s && echo same`,
    ]);
    assert.equal(sums.trim(), 'same');
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.endsWith('.part')),
      [],
    );

    const { exitCode, stdout, log } = await fetch({ output: '-', ...decrypt });
    assert.equal(exitCode, 0, log);
    assert.ok(stdout.length > 0);
  });

  test('what an earlier run has left is used', async () => {
    const output = join(folder, 'resumed.zip');
    await writeFile(`${output}.part`, dual.object);
    const { exitCode, log } = await fetch({ output, ...decrypt });
    assert.equal(exitCode, 0, log);
    assert.match(log, /of it are right: going on from there/);
    await run(['unzip', '-tq', output]);
    await assert.rejects(stat(`${output}.part`));
  });

  test('a member, a file of the filestore, a table', async () => {
    const dump = await fetched({ member: 'dump.sql' });
    assert.match(dump.toString('latin1', 0, 60), /PostgreSQL database dump/);
    assert.equal(
      dump.length,
      JSON.parse((await fetched({ member: 'backup.json' })).toString()).sealed.sizes['dump.sql'],
    );
    assert.ok((await fetched({ attachment: sha1 })).equals(large));
    assert.match((await fetched({ table: 'res_partner' })).toString(), /^COPY public\.res_partner /m);
    JSON.parse((await fetched({ member: 'manifest.json' })).toString());
    assert.equal((await fetched({ member: '.dump' })).toString('latin1', 0, 5), 'PGDMP');
  });

  test('the attachments of a record, by their row in the sealed dump', async () => {
    const output = join(folder, 'record');
    const { exitCode, log } = await fetch({ output, record: 'account.move/42', ...decrypt });
    assert.equal(exitCode, 0, log);
    const [name = '', ...others] = await readdir(output);
    assert.deepEqual(others, []);
    assert.match(name, new RegExp(sha1));
    assert.ok((await readFile(join(output, name))).equals(large));
  });

  test('without an identity, or with another one, nothing is read', async () => {
    const output = join(folder, 'nothing');
    for (const [inputs, words] of [
      [{}, `is sealed for ${team.recipient}, ${safe.recipient}: without an identity it cannot be opened`],
      [{ member: 'dump.sql' }, 'without an identity it cannot be opened'],
      [{ 'decrypt-with': stranger.path }, `and the identity that is given is of ${stranger.recipient}`],
    ] as const) {
      const { exitCode, log } = await fetch({ output, ...inputs });
      assert.equal(exitCode, 1, log);
      assert.ok(log.includes(words), log);
    }
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.startsWith('nothing')),
      [],
    );
  });

  for (const [format, start] of [
    ['custom', 'PGDMP'],
    ['plain', '\x1f\x8b'],
  ] as const) {
    test(`a dump of format ${format} alone, and without its receipt`, async () => {
      const made = bare.find(({ receipt }) => receipt.format === format) as Made;
      const backup = made.receipt.key;
      assert.equal((await fetched({ backup })).toString('latin1', 0, start.length), start);
      const byHand = execFileSync('age', ['-d', '-i', safe.path, made.path], { maxBuffer: 2 ** 28 });
      assert.equal(byHand.toString('latin1', 0, start.length), start);
      const alone = `acme/imported/${format}.age`;
      const { client, bucket } = verify.scene;
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: alone, Body: made.object }));
      const unsaid = { backup: alone, 'allow-unverified': 'true' };
      assert.ok((await fetched(unsaid)).equals(byHand));
      const { log } = await fetch({ ...unsaid, output: join(folder, 'no') });
      assert.match(log, /is sealed and no receipt says for whom: without an identity it cannot be opened/);
    });
  }
});
