import type { DirectoryEntry } from '../archive/central-directory.ts';
import { DEFLATED, STORED } from '../archive/entry.ts';
import type { ArchiveDirectory } from '../archive/reader.ts';
import { refused } from '../archive/refused-entry.ts';
import type { BitSet } from '../util/bit-set.ts';
import { Turns } from '../util/turns.ts';
import { NameIndex } from './name-index.ts';
import { parseSealedName, SEALED_DESCRIPTION } from './sealed-names.ts';

/** Length of the local header without name and extra field, in bytes. APPNOTE 4.3.7. */
const LOCAL_HEADER_LENGTH = 30;
/** Deflate cannot compress more than so many bytes into one. */
const BEST_RATIO = 1032;
/** Characters of a name, and folders in it: PATH_MAX of Linux, and many more than any filestore has. */
const LONGEST_NAME = 4096;
const DEEPEST_NAME = 32;
/** Folders in an archive. A filestore has 256, or 4,096 of a very old Odoo. */
const MOST_FOLDERS = 250_000;
/** Bits of the general purpose flag: encrypted, patch data, strong encryption, encrypted directory. APPNOTE 4.4.4. */
const UNREADABLE = 0x2061;

/** Where the files of an archive are looked up: its directory, with the entries in the order of their bytes. */
type Entries = Pick<ArchiveDirectory, 'numbered' | 'entryAt' | 'signal'>;

/** A file of an archive. */
export interface Member {
  /** Without a leading `./`; of a sealed one, the name of what comes out. */
  readonly name: string;
  /** Number in the archive's directory. */
  readonly number: number;
  readonly entry: DirectoryEntry;
}

/**
 * The files of an archive by their names, without a leading `./`; in a sealed one, of what comes out. Those of a filestore may be millions: they are held
 * as the directory holds them, and decoded anew each time that they are asked for.
 */
export class Members {
  /** Number of files. */
  readonly size: number;
  /** Numbers in the archive's directory are smaller than this: it names folders as well. */
  readonly numbers: number;
  /** Whether its members are files of age, all but manifest.json. */
  readonly isSealed: boolean;
  /** Files outside of `filestore/`, in the order of their bytes. */
  readonly others: ReadonlyMap<string, DirectoryEntry>;
  /** Ends what is long to do with them. */
  readonly signal: AbortSignal | undefined;
  readonly #entries: Entries;
  readonly #index: NameIndex;

  constructor(
    entries: Entries,
    index: NameIndex,
    others: ReadonlyMap<string, DirectoryEntry>,
    { size, numbers, isSealed }: Pick<Members, 'size' | 'numbers' | 'isSealed'>,
  ) {
    this.#entries = entries;
    this.signal = entries.signal;
    this.#index = index;
    this.others = others;
    this.size = size;
    this.numbers = numbers;
    this.isSealed = isSealed;
  }

  has(name: string): boolean {
    return this.numberOf(name) >= 0;
  }

  /** Number in the archive's directory; -1 when there is no such file. */
  numberOf(name: string): number {
    return this.#index.numberOf(name);
  }

  get(name: string): DirectoryEntry | undefined {
    const other = this.others.get(name);
    if (other) return other;
    const number = this.numberOf(name);
    return number < 0 ? undefined : this.#entries.entryAt(number);
  }

  /** The files in the order of their bytes. @param wanted their numbers; undefined: all */
  *all(wanted?: BitSet): Generator<Member> {
    for (const [number, entry] of this.#entries.numbered(wanted)) {
      if (!isFolder(entry)) yield { name: memberName(entry, this.isSealed), number, entry };
    }
  }

  *keys(): Generator<string> {
    for (const { name } of this.all()) yield name;
  }

  *values(): Generator<DirectoryEntry> {
    for (const { entry } of this.all()) yield entry;
  }
}

const FILESTORE = 'filestore/';

/** Name of a file without a leading `./`; in a sealed archive, of what comes out. */
function memberName({ name }: DirectoryEntry, isSealed: boolean): string {
  if (!isSealed) return withoutDot(name);
  const sealed = parseSealedName(name);
  if (sealed) return sealed.name;
  if (name === PLAIN) return name;
  throw refused(name, 'is not sealed, as the others are');
}

/** What a sealed archive has in the clear. */
const PLAIN = 'manifest.json';

const withoutDot = (name: string): string => (name.startsWith('./') ? name.replace(/^(\.\/)+/, '') : name);

const isFolder = ({ name }: DirectoryEntry): boolean => name.endsWith('/');

/**
 * The files of an archive, which may have come from anywhere.
 * @throws ContentError at a name that leaves the folder it is extracted to, a link, two files of one name or in one
 * place, encryption, an unknown compression, a size that cannot be true, a sealed archive with one that is not sealed;
 * the reason of the archive's signal
 */
export async function membersOf(archive: ArchiveDirectory): Promise<Members> {
  const { entries } = archive.directory;
  const isSealed = entries > 0 && archive.entryAt(entries - 1).name === SEALED_DESCRIPTION;
  const members = await indexed(archive, entries, isSealed);
  if (members) return members;
  await archive.sort(); // other programs may have written them otherwise
  return (await indexed(archive, entries, isSealed)) as Members;
}

/** @returns undefined when the entries are not in the order of their bytes */
async function indexed(entries: Entries, length: number, isSealed: boolean): Promise<Members | undefined> {
  const index = new NameIndex(length);
  const others = new Map<string, DirectoryEntry>();
  const folders = new Folders();
  let [size, last, free] = [0, 0, 0];
  const turns = new Turns(entries.signal);
  for (const [number, entry] of entries.numbered()) {
    if (turns.isDue()) await turns.take();
    if (entry.offset < last) return undefined;
    last = entry.offset;
    checkName(entry.name);
    checkType(entry);
    if (isFolder(entry)) continue;
    checkContent(entry);
    // Files in one place are how a small archive holds more than all disks: https://www.bamsoftware.com/hacks/zipbomb/
    if (entry.offset < free) throw refused(entry.name, 'overlaps with another file');
    free = entry.offset + LOCAL_HEADER_LENGTH + entry.raw.readUInt16LE(28) + entry.compressedSize;
    const name = memberName(entry, isSealed);
    if (!index.add(name, number)) throw refused(name, 'is there twice');
    folders.add(name);
    size += 1;
    // Its own bytes alone: others keep a whole block of the directory in memory.
    if (!name.startsWith(FILESTORE)) others.set(name, { ...entry, raw: Buffer.from(entry.raw) });
  }
  folders.check((name) => index.numberOf(name) >= 0);
  return new Members(entries, index, others, { size, numbers: length, isSealed });
}

/** Folders that files lie in. */
class Folders {
  readonly #names = new Set<string>();

  add(name: string): void {
    for (let end = name.lastIndexOf('/'); end > 0; end = name.lastIndexOf('/', end - 1)) {
      const folder = name.slice(0, end);
      if (this.#names.has(folder)) return; // with those above it
      this.#names.add(folder);
    }
    if (this.#names.size > MOST_FOLDERS)
      throw refused(name, `has more than ${MOST_FOLDERS} folders beside it`);
  }

  /** @throws ContentError when one of them is a file as well */
  check(isFile: (name: string) => boolean): void {
    for (const folder of this.#names) if (isFile(folder)) throw refused(folder, 'is a file and a folder');
  }
}

function checkName(name: string): void {
  const parts = withoutDot(name).split('/');
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
