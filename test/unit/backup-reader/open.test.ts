import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { readDirectory } from '../../../src/archive/reader.ts';
import { archivedDump, findDump } from '../../../src/backup-reader/dump.ts';
import { checkedContent, filestoreOf, readFiles } from '../../../src/backup-reader/filestore.ts';
import { MemberContents } from '../../../src/backup-reader/member-contents.ts';
import { membersOf } from '../../../src/backup-reader/members.ts';
import { UserError } from '../../../src/util/errors.ts';
import { archive } from '../../support/odoo.ts';
import { pythonZip, rangesOf } from '../../support/zips.ts';

const members = async (script: string) => membersIn(await pythonZip(script));

const membersIn = async (zip: Buffer) => membersOf(await readDirectory(rangesOf(zip)));

const refused = (why: RegExp) => (error: unknown) => error instanceof UserError && why.test(error.message);

const write = (...names: readonly string[]): string =>
  names.map((name) => `z.writestr(${JSON.stringify(name)}, ${JSON.stringify(name)})`).join('\n');

const A = 'aa/aa00000000000000000000000000000000000000';
const B = 'bbb/bbb0000000000000000000000000000000000000';

test('folders are no members, and a ./ is left out', async () => {
  const script = `${write('./dump.sql', `./filestore/${A}`)}\nz.writestr('filestore/', '')\nz.writestr('./', '')`;
  assert.deepEqual([...(await members(script)).keys()], ['dump.sql', `filestore/${A}`]);
});

const hostile: [what: string, script: string, why: RegExp][] = [
  ['up and away', write('filestore/../../etc/passwd'), /leaves the folder/],
  ['up, behind ./', write('./../x'), /leaves the folder/],
  ['absolute', write('/etc/passwd'), /leaves the folder/],
  ['a drive', write('C:/x'), /leaves the folder/],
  [
    'backslashes',
    "info = zipfile.ZipInfo('x')\ninfo.filename = '..' + chr(92) + 'x'\nz.writestr(info, b'')",
    /plain/,
  ],
  ['an empty part', write('filestore//x'), /plain/],
  ['a dot inside', write('filestore/./x'), /plain/],
  ['twice', write('dump.sql', 'dump.sql'), /"dump.sql" in it is there twice/],
  ['twice, behind ./', write('dump.sql', './dump.sql'), /is there twice/],
  [
    'file and folder',
    write('filestore/aa', `filestore/${A}`),
    /"filestore\/aa" in it is a file and a folder/,
  ],
  [
    'a link',
    "info = zipfile.ZipInfo('filestore/aa/link')\ninfo.external_attr = 0o120777 << 16\nz.writestr(info, '/etc/passwd')",
    /is a symbolic link/,
  ],
  [
    'a device',
    "info = zipfile.ZipInfo('x')\ninfo.external_attr = 0o020666 << 16\nz.writestr(info, '')",
    /is no regular file/,
  ],
  [
    'an unknown method',
    "z.writestr('dump.sql', 'SELECT 1', compress_type=zipfile.ZIP_LZMA)",
    /has the unknown compression 14/,
  ],
  ['encrypted', "z.writestr('a', 'a')\nz.filelist[0].flag_bits |= 1", /is encrypted/],
  [
    'a size that cannot be',
    "z.writestr('a', 'a')\nz.filelist[0].file_size = 10**9",
    /cannot be 1000000000 bytes/,
  ],
  [
    'stored, with two sizes',
    "z.writestr('a', 'a', compress_type=zipfile.ZIP_STORED)\nz.filelist[0].file_size = 2",
    /cannot be 2 bytes, compressed to 1/,
  ],
  [
    'one place for two',
    "z.writestr('a', 'a')\nz.writestr('b', 'b')\nz.filelist[1].header_offset = 0",
    /overlaps/,
  ],
];

test('what no backup program writes is refused', async () => {
  for (const [what, script, why] of hostile) await assert.rejects(members(script), refused(why), what);
});

test('a filestore is found in both ways it lies in archives', async () => {
  const cases: [what: string, names: string[], database: string | undefined, found: string[] | undefined][] =
    [
      ['none', ['dump.sql'], 'prod', undefined],
      ['as Odoo has it', [`filestore/${A}`, `filestore/${B}`], undefined, [A, B]],
      ['in the database’s folder', [`filestore/prod/${A}`], 'prod', [A]],
      ['in a folder of another name', [`filestore/other/${A}`], 'prod', [A]],
      ['of several databases', [`filestore/test/${B}`, `filestore/prod/${A}`], 'prod', [A]],
      [
        'checklist and other files',
        [`filestore/${A}`, `filestore/checklist/${B}`, 'filestore/x y'],
        'prod',
        [A, 'x y'],
      ],
    ];
  for (const [what, names, database, found] of cases) {
    const filestore = await filestoreOf(await members(write(...names)), database, []);
    assert.deepEqual(filestore && [...filestore.files.keys()], found, what);
  }
  const several = await members(write(`filestore/test/${B}`, `filestore/prod/${A}`));
  await assert.rejects(filestoreOf(several, 'live', []), refused(/several databases, and none is live/));
});

test('names with control characters are left out, and told', async () => {
  const filestore = await filestoreOf(
    await members(write(`filestore/${A}`, 'filestore/a\nb', 'filestore/\u001b[31m')),
    'x',
    [],
  );
  assert.deepEqual([...(filestore?.files.keys() ?? [])], [A]);
  assert.deepEqual(filestore?.leftOut, ['a\nb', '\u001b[31m']);
});

test('a file of the filestore is checked against its name, unless the backup found it corrupt', async () => {
  const content = Buffer.from('content');
  const sha1 = createHash('sha1').update(content).digest('hex');
  const good = `${sha1.slice(0, 2)}/${sha1}`;
  const zip = await pythonZip(`z.writestr('filestore/${good}', 'content')\n${write(`filestore/${A}`)}`);
  const all = await membersIn(zip);
  const read = async (corrupt: readonly string[]) => {
    const files = (await filestoreOf(all, undefined, corrupt))?.files.values() ?? [];
    const names: string[] = [];
    for await (const { file } of readFiles(new MemberContents(rangesOf(zip)), files)) names.push(file.name);
    return names;
  };
  assert.deepEqual(await read([A]), [good, A]);
  await assert.rejects(read([]), refused(/aa\/aa0{38} of the archived filestore is not what its name says/));

  const file = (await filestoreOf(all, undefined, []))?.files.get(good);
  assert.ok(file);
  assert.deepEqual(await buffer(checkedContent(file, Readable.from([content]))), content);
  await assert.rejects(
    buffer(checkedContent(file, Readable.from([content, content]))),
    refused(/SHA-1 is different/),
  );
});

test('the dump that restores fastest is taken', async () => {
  const cases: [names: string[], kind: string, name: string][] = [
    [
      ['dump.sql', 'prod_2026-02-16_09-00-00.dump', 'manifest.json'],
      'custom',
      'prod_2026-02-16_09-00-00.dump',
    ],
    [['p.dump', 'p.sql', `filestore/${A}`], 'custom', 'p.dump'],
    [['dump/toc.dat', 'dump/12.dat.gz', 'dump.sql'], 'directory', 'toc.dat 12.dat.gz'],
    [['other.sql', 'dump.sql'], 'plain', 'dump.sql'],
    [['prod_2026-02-16_09-00-00.sql'], 'plain', 'prod_2026-02-16_09-00-00.sql'],
  ];
  for (const [names, kind, name] of cases) {
    const dump = archivedDump(new MemberContents(rangesOf(Buffer.alloc(0))), await members(write(...names)));
    assert.equal(dump.kind, kind);
    assert.equal(dump.kind === 'directory' ? dump.files.map((each) => each.name).join(' ') : dump.name, name);
  }
  const none: [names: string[], why: RegExp][] = [
    [['manifest.json', `filestore/${A}`], /no dump of a database/],
    [['sub/dump.sql'], /no dump of a database/],
    [['a.dump', 'b.dump'], /several dumps: "a.dump", "b.dump"/],
    [['dump/toc.dat', 'dump/-rf'], /no file of a dump/],
  ];
  for (const [names, why] of none) {
    const found = await members(write(...names));
    assert.throws(() => archivedDump(new MemberContents(rangesOf(Buffer.alloc(0))), found), refused(why));
  }
});

test('a dump that is packed once more within another program’s zip is unpacked, whatever its name says', async () => {
  const sql = '-- a dump\nSELECT 1;\n--\n-- PostgreSQL database dump complete\n--\n';
  const packs: readonly (readonly [name: string, content: Buffer, kind: string])[] = [
    ['shop.sql.gz', gzipSync(sql), 'plain'],
    ['shop.sql.zst', zstdCompressSync(sql), 'plain'],
    ['dump.sql', gzipSync(sql), 'plain'],
    ['dump.sql', Buffer.from(sql), 'plain'],
    ['dump.gz', gzipSync('PGDMP and more'), 'custom'],
    ['shop.dump', Buffer.from(sql), 'plain'],
    ['shop.dump', Buffer.from('PGDMP and more'), 'custom'],
  ];
  const open = async (name: string, content: Buffer) => {
    const zip = await pythonZip(`import base64
z.writestr(${JSON.stringify(name)}, base64.b64decode('${content.toString('base64')}'))`);
    return findDump(new MemberContents(rangesOf(zip)), await membersIn(zip));
  };
  for (const [name, content, kind] of packs) {
    const dump = await open(name, content);
    assert.equal(dump.kind, kind, name);
    if (dump.kind === 'plain') assert.equal((await buffer(dump.open())).toString(), sql, name);
  }
  await assert.rejects(open('shop.sql.xz', Buffer.from('fd377a585a00', 'hex')), refused(/packed with xz/));
  await assert.rejects(open('shop.sql.gz', gzipSync(gzipSync(sql))), refused(/packed twice/));
});

test('Odoo’s own archive', async () => {
  const zip = await readFile(archive);
  const all = await membersIn(zip);
  assert.equal(archivedDump(new MemberContents(rangesOf(zip)), all).kind, 'plain');
  const filestore = await filestoreOf(all, undefined, []);
  assert.equal(filestore?.files.size, 205);
  let bytes = 0;
  for await (const { content } of readFiles(new MemberContents(rangesOf(zip)), filestore.files.values())) {
    assert.ok(Buffer.isBuffer(content));
    bytes += content.length;
  }
  assert.equal(
    bytes,
    [...filestore.files.values()].reduce((sum, { size }) => sum + size, 0),
  );
});
