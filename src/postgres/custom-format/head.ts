import { type DumpCursor, damaged } from './cursor.ts';

export const MAGIC = Buffer.from('PGDMP');

/** How the data blocks of a dump are compressed. */
export type DumpCompression = 'none' | 'gzip' | 'lz4' | 'zstd';

/** What a dump in custom format, or the table of contents of one in directory format, begins with. */
export interface DumpHead {
  /** Minor version of the format: the 15 of 1.15. */
  readonly version: number;
  readonly intSize: number;
  readonly offsetSize: number;
  /** Whether the data are in files of their own, whose names the table of contents has instead of places. */
  readonly isDirectory: boolean;
  readonly compression: DumpCompression;
  /** Version of the server, as a text of the dump: `15.18 (Debian 15.18-0+deb12u1)`. */
  readonly server: string | undefined;
  /** Version of pg_dump, as a text of the dump. */
  readonly program: string | undefined;
}

/** A dump that this reader does not know, which is no fault of it. */
export interface UnknownDump {
  readonly kind: 'unknown';
  /** `is in version 1.17 of the format` */
  readonly why: string;
}

/** From PostgreSQL 9.0 on (1.12) to 18 (1.16). */
const OLDEST = 12;
const NEWEST = 16;
const CUSTOM = 1;
/** What pg_dump writes into the table of contents of a directory: it passes for the tar format. */
const TAR = 3;
const ALGORITHMS: readonly DumpCompression[] = ['none', 'gzip', 'lz4', 'zstd'];

/** Reads the head. The cursor knows the size of numbers then. @throws ContentError when it is none */
export function readHead(cursor: DumpCursor): DumpHead | UnknownDump {
  const { name } = cursor;
  for (const byte of MAGIC) if (cursor.byte() !== byte) throw damaged(name, 'it does not begin with PGDMP');
  const [major, version] = [cursor.byte(), cursor.byte()];
  cursor.byte(); // the revision
  if (major !== 1 || version < OLDEST || version > NEWEST) {
    return { kind: 'unknown', why: `is in version ${major}.${version} of the format` };
  }
  const [intSize, offsetSize] = [size(cursor), size(cursor)];
  cursor.intSize = intSize;
  const format = cursor.byte();
  if (format !== CUSTOM && format !== TAR) {
    throw damaged(name, `its head says that it is in the unknown format ${format}`);
  }
  const compression = version >= 15 ? ALGORITHMS[cursor.byte()] : cursor.int() === 0 ? 'none' : 'gzip';
  if (!compression) return { kind: 'unknown', why: 'has a compression that is not known' };
  for (let i = 0; i < 7; i++) cursor.int(); // the time, from seconds to whether it is summer
  cursor.text(); // name of the database
  const [server, program] = [cursor.text(), cursor.text()];
  // They go into comments as they are.
  if (/[\n\r]/.test(`${server}${program}`)) throw damaged(name, 'its head has a version of several lines');
  return { version, intSize, offsetSize, isDirectory: format === TAR, compression, server, program };
}

function size(cursor: DumpCursor): number {
  const bytes = cursor.byte();
  if (bytes >= 1 && bytes <= 8) return bytes;
  throw damaged(cursor.name, `its head says that numbers have ${bytes} bytes`);
}
