import assert from 'node:assert/strict';
import { createHash, hash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { receiptKey } from '../../src/catalog/keys.ts';
import { type Ended, type Made, outputsOf } from '../support/backup-run.ts';
import type { RawInputs } from '../support/inputs.ts';
import { psql } from '../support/postgres.ts';
import { run } from '../support/processes.ts';
import { type S3Proxy, startS3Proxy } from '../support/s3-proxy.ts';
import { VerifyScene } from '../support/verify-scene.ts';
import { entriesOf, pythonZip } from '../support/zips.ts';

const MiB = 2 ** 20;
/** Incompressible: it takes several requests. */
const large = randomBytes(22 * MiB);
const largeSha1 = hash('sha1', large, 'hex');
const inDatabase = Buffer.from('kept in the database\0\x01\n');
const HOSTILE = ['../../../tmp/evil.sh', '.bashrc', '\u001b[31mred.txt', '/etc/cron.d/x', ''];

suite('fetch', () => {
  let verify: VerifyScene;
  let made: Made;
  /** In other formats. */
  const others: Made[] = [];
  let folder: string;
  /** Files of the filestore, by their SHA-1. */
  let small: string;

  before(async () => {
    verify = await VerifyScene.open();
    const { scene } = verify;
    const { odoo, sandbox } = scene;
    await mkdir(join(odoo.filestore, largeSha1.slice(0, 2)), { recursive: true });
    await writeFile(join(odoo.filestore, largeSha1.slice(0, 2), largeSha1), large);
    await run(['chown', '-R', `${sandbox.account.uid}:${sandbox.account.gid}`, odoo.filestore]);
    const [first] = (await psql(sandbox.postgres, odoo.database, SMALLEST)).trim().split('\n').slice(-1);
    small = first ?? '';
    const attachment = (id: number, name: string, more: Record<string, string>) => {
      const values = { id: String(id), name: literal(name), type: "'binary'", ...more };
      return `INSERT INTO ir_attachment (${Object.keys(values)}) VALUES (${Object.values(values)});`;
    };
    const file = { store_fname: literal(`${small.slice(0, 2)}/${small}`), checksum: literal(small) };
    const ofMove = { res_model: "'account.move'", res_id: '42' };
    const checksum = literal(hash('sha1', inDatabase, 'hex'));
    await psql(
      sandbox.postgres,
      odoo.database,
      [
        ...HOSTILE.map((name, i) => attachment(910_000 + i, name, { ...file, ...ofMove })),
        attachment(920_001, 'in\tthe\\database', {
          ...ofMove,
          db_datas: `'\\x${inDatabase.toString('hex')}'`,
          checksum,
        }),
        attachment(920_002, 'link', { type: "'url'", url: "'https://example.com/'" }),
        attachment(920_003, 'gone', { store_fname: "'ff/ffffffffffffffffffffffffffffffffffffffff'" }),
        attachment(920_004, 'up', { store_fname: "'../../../../etc/passwd'" }),
        attachment(920_005, 'one', { ...file, res_model: "'res.partner'", res_id: '7000' }),
      ].join('\n'),
    );
    made = await scene.backup();
    for (const inputs of [
      { format: 'odoo' },
      { format: 'directory' },
      { format: 'custom', filestore: 'false' },
      { format: 'plain', filestore: 'false' },
    ])
      others.push(await scene.backup(inputs));
    folder = await mkdtemp(join(scene.folder, 'fetched-'));
    await verify.put(made.receipt, made.object);
  });
  after(() => verify?.[Symbol.asyncDispose]());

  const path = (): string => join(folder, randomBytes(6).toString('hex'));
  const fetch = (inputs: RawInputs, at?: S3Proxy): Promise<Ended> => verify.run(inputs, at, 'fetch');
  async function fetched(inputs: RawInputs, at?: S3Proxy): Promise<Buffer> {
    const output = path();
    const ended = await fetch({ output, ...inputs }, at);
    assert.equal(ended.exitCode, 0, ended.log);
    assert.deepEqual(JSON.parse(outputsOf(ended).json ?? '').files.length, 1);
    return readFile(output);
  }
  async function fails(inputs: RawInputs, ...words: RegExp[]): Promise<void> {
    const output = path();
    const ended = await fetch({ output, ...inputs });
    assert.equal(ended.exitCode, 1, ended.log);
    for (const pattern of words) assert.match(ended.log, pattern);
    assert.doesNotMatch(ended.log, /\n\s+at .*\.(?:ts|mjs):/);
    if (inputs.output === undefined) await assert.rejects(stat(output), { code: 'ENOENT' });
    const left = (await readdir(folder)).filter((name) => name.startsWith('.odoo-backup-'));
    assert.deepEqual(left, [], 'nothing unfinished stays');
  }
  const unzipped = async (name: string): Promise<Buffer> => {
    const out = await mkdtemp(join(folder, 'unzipped-'));
    await run(['unzip', '-q', made.path, name, '-d', out]);
    return readFile(join(out, name));
  };

  test('the whole archive is the one that was uploaded, and a file that is there stays', async () => {
    const output = path();
    const ended = await fetch({ output });
    assert.equal(ended.exitCode, 0, ended.log);
    assert.match(ended.log, /^ *Every unit has the MD5 of the receipt$/m);
    assert.match(ended.log, /^✅ Fetched the whole archive: 1 file, /m);
    const { key, database, json = '' } = outputsOf(ended);
    assert.deepEqual([key, database], [made.receipt.key, made.receipt.database]);
    assert.deepEqual(JSON.parse(json).files, [{ path: output, size: made.object.length }]);
    assert.ok((await readFile(output)).equals(made.object));
    assert.equal((await stat(output)).mode & 0o777, 0o600);
    await assert.rejects(stat(`${output}.part`), { code: 'ENOENT' });
    await run(['unzip', '-tq', output]);

    await writeFile(output, 'mine');
    await fails({ output }, /output: .* is there already/);
    await fails({ output, member: 'dump.sql' }, /output: .* is there already/);
    assert.equal(await readFile(output, 'utf8'), 'mine');
    const again = await fetch({ output, replace: 'true' });
    assert.equal(again.exitCode, 0, again.log);
    assert.ok((await readFile(output)).equals(made.object));
    await fails({ output: folder }, /output: .* is a folder/);
    await fails({ output: join(folder, 'no', 'such') }, /cannot be written/);
  });

  test('goes on from the last unit that is right, and not with bytes of another object', async () => {
    await using proxy = await startS3Proxy(verify.scene.sandbox.s3);
    const output = path();
    const cut = { kind: 'error', status: 403, code: 'AccessDenied' } as const;
    proxy.rules = [{ when: (request) => rangeOf(request).offset >= 16 * MiB && isBody(request), fault: cut }];
    const first = await fetch({ output }, proxy);
    assert.equal(first.exitCode, 1, first.log);
    await assert.rejects(stat(output), { code: 'ENOENT' });
    const { size } = await stat(`${output}.part`);
    assert.ok(size >= 8 * MiB);

    const before = proxy.requests.length;
    proxy.rules = [];
    const second = await fetch({ output }, proxy);
    assert.equal(second.exitCode, 0, second.log);
    assert.ok((await readFile(output)).equals(made.object));
    const ranges = proxy.requests.slice(before).filter(isBody).map(rangeOf);
    const ends = made.receipt.segments.flatMap(({ units }) => units.map((unit) => unit.offset + unit.length));
    const proven = Math.max(0, ...ends.filter((end) => end <= size));
    assert.ok(proven > 0);
    assert.equal(Math.min(...ranges.map(({ offset }) => offset)), proven);
    assert.match(second.log, /of it are right: going on from there/);

    const other = path();
    await writeFile(`${other}.part`, randomBytes(9 * MiB));
    const anew = await fetch({ output: other });
    assert.match(anew.log, /Nothing of it can be used/);
    assert.ok((await readFile(other)).equals(made.object));
  });

  test('other bytes than those of the receipt are read once more, and never get a name', async () => {
    await using proxy = await startS3Proxy(verify.scene.sandbox.s3);
    const flip = { kind: 'flip', at: 5000 } as const;
    proxy.rules = [{ when: isBody, fault: flip, times: 1 }];
    const mended = path();
    const ended = await fetch({ output: mended }, proxy);
    assert.equal(ended.exitCode, 0, ended.log);
    assert.match(ended.log, /has other bytes than were written, from 0 to \d+\. They are read once more/);
    assert.ok((await readFile(mended)).equals(made.object));

    proxy.rules = [{ when: isBody, fault: flip }];
    const broken = path();
    const failed = await fetch({ output: broken }, proxy);
    assert.equal(failed.exitCode, 1, failed.log);
    assert.match(failed.log, /^error: s3:.* has other bytes than were written, from 0 to/m);
    await assert.rejects(stat(broken), { code: 'ENOENT' });

    const linked = path();
    await symlink(made.path, `${linked}.part`);
    await fails({ output: linked }, /\.part cannot be written: ELOOP/);
  });

  test('a member, by its name', async () => {
    const names = [...(await entriesOf(Buffer.from(made.object))).keys()];
    const dump = names.find((name) => name.endsWith('.dump')) ?? '';
    for (const [asked, name] of [
      ['dump.sql', 'dump.sql'],
      ['manifest.json', 'manifest.json'],
      ['backup.json', 'backup.json'],
      ['.dump', dump],
      [dump, dump],
      [`filestore/${small.slice(0, 2)}/${small}`, `filestore/${small.slice(0, 2)}/${small}`],
    ] as const) {
      assert.ok((await fetched({ member: asked })).equals(await unzipped(name)), asked);
    }
    await fails({ member: 'dump.sq' }, /has no member "dump\.sq"/, /It has ".*", and \d+ files in folders\./);
  });

  test('an attachment by its SHA-1 or its id, of which no more is read than it takes', async () => {
    await using proxy = await startS3Proxy(verify.scene.sandbox.s3);
    const bytes = () => {
      const sum = proxy.requests.filter(isBody).reduce((all, request) => all + rangeOf(request).length, 0);
      (proxy.requests as unknown[]).length = 0;
      return sum;
    };
    const content = await unzipped(`filestore/${small.slice(0, 2)}/${small}`);
    assert.ok((await fetched({ attachment: small }, proxy)).equals(content));
    const directory = 100_000;
    const bySha1 = bytes();
    assert.ok(bySha1 > content.length && bySha1 < content.length + directory, `${bySha1} bytes`);
    assert.ok((await fetched({ attachment: '910000' }, proxy)).equals(content));
    const byId = bytes();
    const dump = made.receipt.segments[0]?.length ?? 0;
    assert.ok(byId < dump + content.length + directory && byId < made.object.length / 4, `${byId} bytes`);
    assert.equal(sha1(await fetched({ attachment: largeSha1 })), largeSha1);
    assert.ok((await fetched({ attachment: '920001' })).equals(inDatabase));

    await fails(
      { attachment: '920002' },
      /Attachment 920002, "link", cannot be fetched: it is a link, to "https/,
    );
    await fails(
      { attachment: '920003' },
      /does not have the file of attachment 920003, "ff\/f{40}": it was missing/,
    );
    await fails(
      { attachment: '920004' },
      /does not have the file of attachment 920004, "\.\.\/\.\.\/\.\.\/\.\.\/etc/,
    );
    await fails(
      { attachment: '999999' },
      /The backup has no attachment 999999/,
      /Its ir_attachment has \d+ rows/,
    );
    await fails({ attachment: 'f'.repeat(40) }, /does not have a file with the SHA-1 f{40}: it was missing/);
  });

  test('the attachments of a record go into a folder, under names that lead nowhere else', async () => {
    const output = path();
    const ended = await fetch({ output, record: 'account.move/42' });
    assert.equal(ended.exitCode, 0, ended.log);
    const kept = hash('sha1', inDatabase, 'hex');
    const names = (await readdir(output)).sort();
    const expected = ['-tmp_evil.sh', '-bashrc', '-31mred.txt', '-etc_cron.d_x', ''].map(
      (end) => small + end,
    );
    assert.deepEqual(names, [...expected, `${kept}-in_the_database`].sort());
    for (const name of names) assert.equal(sha1(await readFile(join(output, name))), name.slice(0, 40));
    const { files } = JSON.parse(outputsOf(ended).json ?? '');
    assert.deepEqual(
      files.map((file: { name: string }) => file.name).sort(),
      [...HOSTILE, 'in\tthe\\database'].sort(),
    );
    assert.doesNotMatch(ended.log, /\x1b/);

    await fails({ output, record: 'account.move/42' }, /the folder .* is not empty/);
    const again = await fetch({ output, record: 'account.move/42', replace: 'true' });
    assert.equal(again.exitCode, 0, again.log);
    await fails({ output: '-', record: 'account.move/42' }, /There are 6 attachments of account\.move\/42/);
    await fails(
      { output: path(), record: 'account.move/43' },
      /The backup has no attachments of account\.move\/43/,
    );
  });

  test('a table, as PostgreSQL takes it', async () => {
    const { postgres } = verify.scene.sandbox;
    const sql = await fetched({ table: 'res_partner_bank' });
    const rows = /^COPY public\.res_partner .*?^\\\.\n/ms;
    const partners = await fetched({ table: 'res_partner' });
    assert.equal(
      rows.exec(partners.toString())?.[0],
      rows.exec((await unzipped('dump.sql')).toString())?.[0],
    );
    const { database } = verify.scene.odoo;
    // Into the same database, once the table is out of the way.
    await psql(postgres, database, 'ALTER TABLE res_partner_bank RENAME TO kept;');
    await psql(postgres, database, sql.toString());
    assert.match(await psql(postgres, database, 'SELECT count(*) FROM public.res_partner_bank;'), /^\d+$/m);
    await fails({ table: 'res_partnr' }, /The dump has no table "res_partnr"/, /such as "res_partner/);
  });

  test('tables and attachments come out of every format', async () => {
    const content = await unzipped(`filestore/${small.slice(0, 2)}/${small}`);
    const rows = /^COPY public\.res_currency .*?^\\\.\n/ms;
    const expected = rows.exec((await unzipped('dump.sql')).toString())?.[0];
    assert.ok(expected);
    for (const { receipt, object } of others) {
      const { format, key } = receipt;
      await verify.put(receipt, object);
      const sql = (await fetched({ backup: key, table: 'res_currency' })).toString();
      assert.equal(rows.exec(sql)?.[0], expected, format);
      assert.match(sql, /^CREATE TABLE public\.res_currency \($/m);
      if (receipt.filestore === null) {
        assert.ok((await fetched({ backup: key })).equals(object));
        await fails({ backup: key, attachment: '910000' }, /is a backup of the database alone/);
        await fails({ backup: key, member: 'dump.sql' }, /is a dump alone, and no archive/);
      } else assert.ok((await fetched({ backup: key, attachment: '910000' })).equals(content), format);
      assert.ok((await fetched({ backup: key, attachment: '920001' })).equals(inDatabase), format);
      for (const each of [receiptKey(key), key]) await verify.store.delete(each); // it is newer than the other one
    }
  });

  test('standard output has what was fetched, and nothing else', async () => {
    const started = verify.start({ output: '-', member: 'manifest.json' }, undefined, 'fetch');
    const ended = await started.ended;
    assert.equal(ended.exitCode, 0, ended.log);
    assert.equal(ended.stdout, (await unzipped('manifest.json')).toString());
    assert.match(ended.log, /Fetched manifest\.json/);
    const piped = verify.start({ output: '-' }, undefined, 'fetch');
    piped.child.stdout?.destroy();
    const { exitCode, log } = await piped.ended;
    assert.equal(exitCode, 141, log);
    assert.match(log, /Standard output was closed/);
  });

  test('without a receipt only by somebody who says so, and then the zip is checked itself', async () => {
    const key = made.receipt.key.replace(/\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d/, '2026-01-01_00-00-00');
    await verify.put({ ...made.receipt, key }, made.object);
    await verify.store.delete(receiptKey(key));
    await fails({ backup: key }, /has no receipt/);
    const output = path();
    const ended = await fetch({ backup: key, output, 'allow-unverified': 'true' });
    assert.equal(ended.exitCode, 0, ended.log);
    assert.match(ended.log, /Every file has the CRC-32 of the directory/);
    assert.match(ended.log, /No receipt says that this backup was verified/);
    assert.ok((await readFile(output)).equals(made.object));

    const evil = await pythonZip("z.writestr('../x', 'x')\nz.writestr('dump.sql', 'SELECT 1;')");
    await verify.put({ ...made.receipt, key }, evil);
    await verify.store.delete(receiptKey(key));
    await fails({ backup: key, 'allow-unverified': 'true' }, /leaves the folder/);
    await fails({ backup: key, 'allow-unverified': 'true', member: '../x' }, /leaves the folder/);
  });
});

const literal = (text: string): string => `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
const sha1 = (bytes: Buffer): string => createHash('sha1').update(bytes).digest('hex');

/** The SHA-1 of a file that an attachment of the fixture has. */
const SMALLEST = `SELECT checksum FROM ir_attachment WHERE store_fname IS NOT NULL ORDER BY file_size LIMIT 1`;

type Seen = S3Proxy['requests'][number];

/** Whether a request is for bytes of an archive. */
const isBody = ({ method, path }: Seen): boolean => method === 'GET' && path.endsWith('.zip');

function rangeOf({ headers }: Seen): { offset: number; length: number } {
  const [, first = '0', last = '0'] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
  return { offset: Number(first), length: Number(last) - Number(first) + 1 };
}
