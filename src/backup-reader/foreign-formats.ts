/** What a file is that holds no dump this program restores, and what to do about it. */
interface ForeignFormat {
  readonly is: string;
  readonly hint: string;
}

/** How many first bytes tell what a file is: a tar archive says so at byte 257. */
export const HEAD_BYTES = 512;

const ascii = (text: string, at = 0) => ({ bytes: Buffer.from(text, 'latin1'), at });
const hex = (bytes: string, at = 0) => ({ bytes: Buffer.from(bytes, 'hex'), at });

const unpack = (program: string): string =>
  `Unpack it (${program}) and store what comes out: SQL, or a dump in custom format. Both may be packed with gzip or zstd.`;
const decrypt = (how: string): string => `Decrypt it (${how}) and store what comes out.`;
const UTF_16 = {
  is: 'text in UTF-16, as PowerShell writes it behind ">"',
  hint: 'Write the dump with pg_dump --file instead of ">"; or convert it: iconv -f UTF-16 -t UTF-8 (not for a dump in custom format, which ">" has destroyed).',
};
const ERROR_PAGE = {
  is: 'a web page or XML, such as the error that a server answered instead of a backup',
  hint: 'Look into it, make the backup once more, and store that.',
};
const TAR_DUMP = {
  is: 'a dump in tar format (pg_dump --format=tar)',
  hint: 'Make one in custom format: pg_dump --format=custom.',
};

const FORMATS: readonly (readonly [{ readonly bytes: Buffer; readonly at: number }, ForeignFormat])[] = [
  [hex('fd377a585a00'), { is: 'packed with xz', hint: unpack('xz -d') }],
  [ascii('BZh'), { is: 'packed with bzip2', hint: unpack('bzip2 -d') }],
  [hex('04224d18'), { is: 'packed with lz4', hint: unpack('lz4 -d') }],
  [ascii('LZIP'), { is: 'packed with lzip', hint: unpack('lzip -d') }],
  [hex('894c5a4f000d0a1a0a'), { is: 'packed with lzop', hint: unpack('lzop -d') }],
  [hex('1f9d'), { is: 'packed with compress', hint: unpack('uncompress') }],
  [hex('377abcaf271c'), { is: 'a 7z archive', hint: unpack('7z x') }],
  [ascii('Rar!'), { is: 'a RAR archive', hint: unpack('unrar x') }],
  [ascii('PK\x03\x04'), { is: 'a zip archive within another file', hint: 'Store the zip itself.' }],
  [hex('1f8b'), { is: 'packed twice', hint: unpack('gzip -d') }],
  [hex('28b52ffd'), { is: 'packed twice', hint: unpack('zstd -d') }],
  [ascii('toc.dat\0'), TAR_DUMP],
  [
    ascii('ustar', 257),
    {
      is: 'a tar archive',
      hint: 'Unpack it (tar -xf) and store a zip of dump.sql and filestore/, or the dump alone.',
    },
  ],
  [ascii('-----BEGIN PGP MESSAGE-----'), { is: 'encrypted with OpenPGP', hint: decrypt('gpg --decrypt') }],
  [ascii('age-encryption.org/'), { is: 'encrypted with age', hint: decrypt('age --decrypt') }],
  [ascii('-----BEGIN AGE ENCRYPTED FILE-----'), { is: 'encrypted with age', hint: decrypt('age --decrypt') }],
  [ascii('Salted__'), { is: 'encrypted with openssl', hint: decrypt('openssl enc -d') }],
  [hex('fffe'), UTF_16],
  [hex('feff'), UTF_16],
  [ascii('-\0-\0'), UTF_16],
  [ascii('\0-\0-'), UTF_16],
  [ascii('<!DOCTYPE'), ERROR_PAGE],
  [ascii('<html'), ERROR_PAGE],
  [ascii('<?xml'), ERROR_PAGE],
  [
    ascii('SQLite format 3\0'),
    { is: 'a database of SQLite', hint: 'Odoo needs a dump of PostgreSQL, by pg_dump.' },
  ],
];

/** The first line of text that other programs write. */
const FIRST_WORDS: readonly (readonly [RegExp, ForeignFormat])[] = [
  [
    /^(?:--\s*)*PostgreSQL database cluster dump$/m,
    {
      is: 'a dump of a whole server (pg_dumpall)',
      hint: 'Make one of the database alone: pg_dump --format=custom.',
    },
  ],
  [
    /^(?:--|\/\*M?!.*|\s)*(?:MySQL|MariaDB) dump/,
    { is: 'a dump of MySQL or MariaDB', hint: 'Odoo needs a dump of PostgreSQL, by pg_dump.' },
  ],
];

/**
 * Knows, by its first bytes, a file that holds neither SQL nor a dump in custom format.
 * @returns undefined for all others
 */
export function foreignFormat(head: Buffer): ForeignFormat | undefined {
  if (head.length === 0) return { is: 'empty', hint: 'Nothing was backed up. Choose another backup.' };
  const binary = FORMATS.find(([{ bytes, at }]) => head.subarray(at, at + bytes.length).equals(bytes))?.[1];
  if (binary) return binary;
  if (isOpenPgp(head)) return { is: 'encrypted with OpenPGP', hint: decrypt('gpg --decrypt') };
  const text = head.toString('latin1').replaceAll('\r', '');
  return FIRST_WORDS.find(([pattern]) => pattern.test(text))?.[1];
}

/**
 * A packet for a session key comes first (RFC 9580, 4.2): of tag 1 and version 3 or 6, or of tag 3 and version 4, 5 or
 * 6. The old form of the header has the length in one to four bytes, the new one mostly in one.
 */
function isOpenPgp(head: Buffer): boolean {
  const first = head[0] ?? 0;
  const isOld = (first & 0xc0) === 0x80;
  const tag = isOld ? (first >> 2) & 0xf : first & 0x3f;
  const lengthBytes = isOld ? [1, 2, 4][first & 3] : (head[1] ?? 0) < 192 ? 1 : 2;
  if (first < 0x80 || lengthBytes === undefined) return false;
  const version = head[1 + lengthBytes] ?? 0;
  return (tag === 1 && [3, 6].includes(version)) || (tag === 3 && [4, 5, 6].includes(version));
}
