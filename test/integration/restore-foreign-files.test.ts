import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { CopyScene } from '../support/copy-scene.ts';
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
});

const SYMMETRIC =
  'mkdir -m 700 "$2.home" && gpg --homedir "$2.home" --batch --passphrase x --pinentry-mode loopback --symmetric --output "$2" "$1"';
const half = (bytes: Buffer): Buffer => bytes.subarray(0, bytes.length / 2);
const broken = (bytes: Buffer): Buffer => {
  const copy = Buffer.from(bytes);
  copy.fill(7, 5000, 5500);
  return copy;
};
