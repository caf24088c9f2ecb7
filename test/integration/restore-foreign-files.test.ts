import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { CopyScene } from '../support/copy-scene.ts';
import { zipOf } from '../support/foreign-archives.ts';
import { run } from '../support/processes.ts';

suite('files that are no backup', () => {
  let scene: CopyScene;
  before(async () => {
    scene = await CopyScene.open();
  });
  after(() => scene?.[Symbol.asyncDispose]());

  const plain = (name: string, ...options: string[]) => scene.dump(`${name}.sql`, '--no-owner', ...options);

  test('what holds no dump that can be restored is told, with what to do', async () => {
    const sql = await plain('whole');
    const { folder } = scene.odoo.scene;
    const made = async (script: string) => {
      const path = join(folder, `made-${randomUUID()}`);
      await run(['sh', '-c', script, 'sh', sql, path]);
      return readFile(path);
    };
    const cases: readonly (readonly [name: string, make: () => Promise<Uint8Array>, words: RegExp])[] = [
      ['a.sql.xz', () => made('xz -c "$1" >"$2"'), /a.sql.xz is not restored: it is packed with xz.*xz -d/s],
      ['a.sql.bz2', () => made('bzip2 -c "$1" >"$2"'), /it is packed with bzip2.*bzip2 -d/s],
      ['a.tar', () => made('tar -cf "$2" "$1"'), /it is a tar archive.*tar -xf/s],
      ['a.tar.gz', () => made('tar -czf "$2" "$1"'), /it is a tar archive.*tar -xf/s],
      [
        't.dump',
        async () => readFile(await scene.dump('t.dump', '--format=tar')),
        /tar format.*--format=custom/s,
      ],
      ['a.sql.gz.gz', async () => gzipSync(gzipSync(await readFile(sql))), /it is packed twice/],
      [
        'u16.sql',
        () => made(`(printf '\\377\\376'; iconv -t UTF-16LE "$1") >"$2"`),
        /UTF-16, as PowerShell.*--file/s,
      ],
      ['u16le.sql', () => made('iconv -t UTF-16LE "$1" >"$2"'), /UTF-16/],
      ['a.sql.gpg', () => made(SYMMETRIC), /encrypted with OpenPGP.*gpg --decrypt/s],
      ['a.sql.asc', () => made(SYMMETRIC.replace('gpg', 'gpg --armor')), /encrypted with OpenPGP/],
      [
        'a.sql.age',
        async () => Buffer.from('age-encryption.org/v1\n-> X25519 abc\n'),
        /a.sql.age is sealed and no receipt says for whom.*decrypt-with/s,
      ],
      ['a.enc', async () => Buffer.from('Salted__0123456789'), /encrypted with openssl/],
      ['page.sql', async () => Buffer.from('<!DOCTYPE html>\n<html>'), /a web page/],
      ['nothing.sql', async () => Buffer.alloc(0), /it is empty/],
      ['nothing.sql.gz', async () => gzipSync(''), /it is empty/],
      [
        'all.sql',
        async () => Buffer.from('--\n-- PostgreSQL database cluster dump\n--\n'),
        /pg_dumpall.*pg_dump/s,
      ],
      [
        '17.dump.gz',
        () => readFile(join(import.meta.dirname, '../fixtures/custom-format/17.dump.gz')),
        /needs pg_restore 17, which cannot restore to PostgreSQL 1[3-6].*or newer/s,
      ],
      ['create.sql', async () => readFile(await plain('create', '--create')), /pg_dump --create.*sed/s],
      ['schema.sql', async () => readFile(await plain('schema', '--schema-only')), /--schema-only/],
      ['cut.sql.gz', async () => half(gzipSync(await readFile(sql))), /cut.sql.gz is cut short/],
      ['cut.sql.zst', async () => half(zstdCompressSync(await readFile(sql))), /cut.sql.zst is cut short/],
      [
        'broken.sql.gz',
        async () => broken(gzipSync(await readFile(sql))),
        /broken.sql.gz is (damaged|cut short|not restored)/,
      ],
      [
        'pieces.sql.zst',
        async () =>
          Buffer.concat(
            [half(await readFile(sql)), await readFile(sql)].map((each) => zstdCompressSync(each)),
          ),
        /packed with zstd in several pieces/,
      ],
    ];
    const runs = cases.map(async ([name, make, words]) => ({
      inputs: { backup: await scene.put(name, await make()), 'allow-unverified': 'true' },
      words: [words],
    }));
    await scene.refuses(await Promise.all(runs));
  });

  test('dumps of a part of a database are refused, whatever part it is', async () => {
    await scene.sql(`CREATE EXTENSION pg_trgm;
      CREATE INDEX of_names ON res_partner USING gin (name gin_trgm_ops)`);
    const noTable = /makes no table, as pg_dump --data-only or --section/;
    const noKeys = /neither primary keys nor .*--section=pre-data.*pg_dump --format=custom/s;
    const lacking = /does not exist.*refers to a table that it does not make/s;
    const noRows = (table: string) => new RegExp(`no rows of ${table}, as pg_dump --exclude-table-data`);
    const dangling = /violates foreign key.*Rows refer to others that are not there/s;
    const ofExtension = /gin_trgm_ops.*uses what it does not make, mostly of an extension/s;
    /** What pg_dump is given, and what is said of its custom format and of plain SQL. */
    const parts: readonly (readonly [options: string, custom: RegExp, plain: RegExp])[] = [
      ['--section=pre-data --section=data', noKeys, noKeys],
      ['--section=data --section=post-data', noTable, noTable],
      ['--section=post-data', noTable, noTable],
      ['--data-only', noTable, noTable],
      ['--schema-only --quote-all-identifiers', /--schema-only/, /--schema-only/],
      ['--table=ir_*', /lacks tables .*: res_users, res_partner, res_company\./, lacking],
      ['--exclude-table-data=res_users', noRows('res_users'), dangling],
      ['--exclude-table-data=ir_attachment', dangling, dangling],
      ['--schema=public', ofExtension, ofExtension],
    ];
    const runs = parts.flatMap(([options, custom, plain], i) =>
      [
        { format: 'custom', words: custom },
        { format: 'plain', words: plain },
      ].map(async ({ format, words }) => {
        const name = `part-${i}.${format}`;
        const dump = await readFile(await scene.dump(name, `--format=${format}`, ...options.split(' ')));
        return {
          inputs: { backup: await scene.put(name, dump), 'allow-unverified': 'true' },
          words: [words],
        };
      }),
    );
    const sections = ['--section=pre-data', '--section=data'];
    const directory = await scene.dump('part', '--format=directory', ...sections);
    const zip = await zipOf(scene.odoo.scene.odoo, { files: { dump: directory } });
    const inputs = {
      backup: await scene.put('part.zip', zip),
      'allow-unverified': 'true',
      'dry-run': 'true',
    };
    const rows = await scene.put('rows.sql', await readFile(await plain('rows', '--data-only')));
    const dryRuns = [
      { inputs, words: [noKeys] },
      { inputs: { ...inputs, backup: rows }, words: [noTable] },
    ];
    await scene.refuses([...(await Promise.all(runs)), ...dryRuns]);
  });

  test('a rollback does not take a dump without a table or its rows, and a dry run says so', async () => {
    const parts: readonly (readonly [option: string, words: RegExp])[] = [
      [
        '--exclude-table-data=mail_message',
        /no rows of mail_message.*Odoo would go on without them.*the command restore/s,
      ],
      ['--exclude-table=mail_message', /lacks the tables mail_message.*the command restore/s],
    ];
    for (const [option, ...words] of parts) {
      const dump = await readFile(await scene.dump('part.dump', '--format=custom', option));
      const inputs = { backup: await scene.put('part.dump', dump), 'allow-unverified': 'true' };
      await scene.refuses([{ command: 'rollback', inputs: { ...inputs, 'dry-run': 'true' }, words }]);
      inputs.backup = await scene.put('part.sql', await readFile(await plain('part', option)));
      await scene.refuses([{ command: 'rollback', inputs, words }]);
    }
  });
});

const SYMMETRIC =
  'mkdir -m 700 "$2.home" && gpg --homedir "$2.home" --batch --passphrase x --pinentry-mode loopback --symmetric --output "$2" "$1"';
const half = (bytes: Buffer): Buffer => bytes.subarray(0, bytes.length / 2);
const broken = (bytes: Buffer): Buffer => {
  const copy = Buffer.from(bytes);
  copy.fill(7, 5000, 5500);
  return copy;
};
