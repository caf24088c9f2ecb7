import type { DirectoryEntry } from '../archive/central-directory.ts';
import { DEFLATED, STORED } from '../archive/entry.ts';
import { quoted } from '../util/controls.ts';
import { ContentError } from '../util/errors.ts';

/** The files of an archive by their names, without a leading `./`. */
export type Members = ReadonlyMap<string, DirectoryEntry>;

/** Length of the local header without name and extra field, in bytes. APPNOTE 4.3.7. */
const LOCAL_HEADER_LENGTH = 30;
/** Deflate cannot compress more than so many bytes into one. */
const BEST_RATIO = 1032;
/** Characters of a name, and folders in it: PATH_MAX of Linux, and many more than any filestore has. */
const LONGEST_NAME = 4096;
const DEEPEST_NAME = 32;
/** Bits of the general purpose flag: encrypted, patch data, strong encryption, encrypted directory. APPNOTE 4.4.4. */
const UNREADABLE = 0x2061;

/**
 * The files of an archive, which may have come from anywhere.
 * @throws ContentError at a name that leaves the folder it is extracted to, a link, two files of one name or in one
 * place, encryption, an unknown compression, a size that cannot be true
 */
export function membersOf(entries: Iterable<DirectoryEntry>): Members {
  const members = new Map<string, DirectoryEntry>();
  for (const entry of entries) {
    checkName(entry.name);
    checkType(entry);
    if (entry.name.endsWith('/')) continue;
    checkContent(entry);
    const name = entry.name.replace(/^(\.\/)+/, '');
    if (members.has(name)) throw refused(name, 'is there twice');
    members.set(name, entry);
  }
  checkFolders(members);
  checkPlaces(members);
  return members;
}

function checkName(name: string): void {
  const parts = name.replace(/^(\.\/)+/, '').split('/');
  if (name.length > LONGEST_NAME || parts.length > DEEPEST_NAME) {
    throw refused(`${name.slice(0, 60)}…`, 'has a name that is too long');
  }
  if (parts.includes('..') || name.startsWith('/') || /^[A-Za-z]:/.test(name)) {
    throw refused(name, 'leaves the folder that an archive is extracted to');
  }
  if (parts.at(-1) === '') parts.pop(); // a folder's name ends with a slash
  if (/[\\\0]/.test(name) || parts.includes('') || parts.includes('.')) {
    throw refused(name, 'has a name that is no plain path');
  }
}

/** The upper half of the external attributes is the file's mode, where a Unix program wrote the archive. */
function checkType({ name, raw }: DirectoryEntry): void {
  const type = raw.readUInt16LE(40) & 0o170000;
  const expected = name.endsWith('/') ? 0o040000 : 0o100000;
  if (type !== 0 && type !== expected) {
    throw refused(name, type === 0o120000 ? 'is a symbolic link' : 'is no regular file');
  }
}

function checkContent({ name, raw, method, size, compressedSize }: DirectoryEntry): void {
  if (raw.readUInt16LE(8) & UNREADABLE) throw refused(name, 'is encrypted');
  if (method !== STORED && method !== DEFLATED) throw refused(name, `has the unknown compression ${method}`);
  const possible = method === STORED ? size === compressedSize : size <= compressedSize * BEST_RATIO;
  if (!possible) throw refused(name, `cannot be ${size} bytes, compressed to ${compressedSize}`);
}

function checkFolders(members: Members): void {
  for (const name of members.keys()) {
    for (let end = name.lastIndexOf('/'); end > 0; end = name.lastIndexOf('/', end - 1)) {
      if (members.has(name.slice(0, end))) throw refused(name.slice(0, end), 'is a file and a folder');
    }
  }
}

/** Files in one place are how a small archive holds more than all disks: https://www.bamsoftware.com/hacks/zipbomb/ */
function checkPlaces(members: Members): void {
  let free = 0;
  for (const entry of [...members.values()].sort((a, b) => a.offset - b.offset)) {
    if (entry.offset < free) throw refused(entry.name, 'overlaps with another file');
    free = entry.offset + LOCAL_HEADER_LENGTH + entry.raw.readUInt16LE(28) + entry.compressedSize;
  }
}

function refused(name: string, what: string): ContentError {
  return new ContentError(
    `The archive is not restored: ${quoted(name)} in it ${what}.`,
    'No backup program for Odoo writes such an archive. Find out where it comes from, or choose another backup.',
  );
}
