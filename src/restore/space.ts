import type { DumpSource } from '../backup-reader/dump.ts';
import { type FileSystem, fileSystemOf } from '../host/disk-space.ts';
import { TempFolder } from '../host/temp-folder.ts';
import { ownBytes } from '../odoo/folder-swap.ts';
import { databaseFileSystem, maxWalBytes } from '../postgres/disk-space.ts';
import { DEFAULT_TABLESPACE } from '../postgres/sql.ts';
import { formatBytes } from '../util/format.ts';
import type { Leftovers, Remains } from './leftovers/leftovers.ts';
import type { Problem } from './problem.ts';
import { spareOf } from './space-watch.ts';
import type { Target } from './target.ts';

/** Where a restore writes, and what stands in its way there. */
export interface Space {
  readonly problems: readonly Problem[];
  /** undefined: this cannot be determined. */
  readonly databaseDisk: FileSystem | undefined;
  /** The disk of the write-ahead log. */
  readonly walDisk: FileSystem | undefined;
  readonly filestoreDisk: FileSystem | undefined;
  /** What earlier runs have replaced, to be removed first: without that, the new does not fit. */
  readonly dropFirst: readonly Remains[];
  /** Why what is replaced cannot be kept for days; undefined: it can. */
  readonly shortage: string | undefined;
  /** Where the host has space for the dump while that is loaded; undefined: nowhere. */
  readonly dumpPlace: string | undefined;
}

/** Something that is to be written. */
export interface Wanted {
  readonly what: string;
  readonly bytes: number;
  /** undefined: this cannot be determined. */
  readonly disk: FileSystem | undefined;
  /** Whether PostgreSQL writes it, which has to be left some space (`whileSpaceLasts`). */
  readonly byServer: boolean;
}

/** What is needed on one file system. */
export interface SpaceNeed {
  readonly disk: FileSystem;
  readonly whats: readonly string[];
  readonly bytes: number;
  /** Bytes that have to stay free besides. */
  readonly spare: number;
}

/**
 * Read only. What is to be written is summed up by file system: on many hosts there is one for all of it.
 *
 * @param comparing gives the bytes of the filestore; the disks are looked at meanwhile
 */
export async function checkSpace(
  target: Target,
  dump: DumpSource,
  databaseBytes: number,
  comparing: Promise<number>,
): Promise<Space> {
  const { admin, current, filestore, leftovers } = target;
  const besideWal = databaseFileSystem(admin);
  const tablespace = current?.tablespace ?? DEFAULT_TABLESPACE;
  const [databaseDisk, walDisk, filestoreDisk, maxWal, place, filestoreBytes] = await Promise.all([
    tablespace === DEFAULT_TABLESPACE ? besideWal : databaseFileSystem(admin, tablespace),
    besideWal,
    filestore && fileSystemOf(filestore),
    maxWalBytes(admin),
    placeOf(target, dump),
    comparing,
  ]);
  const wanted: Wanted[] = [
    { what: 'database', bytes: databaseBytes, disk: databaseDisk, byServer: true },
    { what: WAL, bytes: Math.min(databaseBytes, maxWal), disk: walDisk, byServer: true },
    { what: 'filestore', bytes: filestoreBytes, disk: filestoreDisk, byServer: false },
  ];
  const withDump = [...wanted, { what: 'dump', bytes: dump.size, disk: place?.disk, byServer: false }];
  const { dropFirst, freed } = await makeRoom(
    dump.kind === 'directory' && place ? withDump : wanted,
    leftovers,
    {
      databaseDisk,
      filestoreDisk,
      folderBytes: async (folder) => (filestore ? ownBytes(filestore, folder) : 0),
    },
  );
  const disks = { databaseDisk, walDisk, filestoreDisk, dropFirst };
  const shortage = shortageOf(wanted, [databaseDisk, filestoreDisk], freed);
  if (dump.kind === 'directory') {
    const problems = place
      ? tooLittle(withDump, freed)
      : [...tooLittle(wanted, freed), noPlace(target, dump.size)];
    return { ...disks, shortage, dumpPlace: place?.path, problems };
  }
  const fits = place && tooLittle(withDump, freed).length === 0;
  const problems = tooLittle(wanted, freed);
  return { ...disks, shortage, dumpPlace: fits ? place.path : undefined, problems };
}

/** Bytes that become free, by the device of their file system. */
export type Freed = ReadonlyMap<string, number>;

/** Where leftovers are, and what a filestore among them takes. */
interface Places {
  readonly databaseDisk: FileSystem | undefined;
  readonly filestoreDisk: FileSystem | undefined;
  folderBytes(folder: string): Promise<number>;
}

/**
 * Chooses what earlier runs have replaced to be dropped before its time, the oldest first and no more than it takes:
 * none where the new fits without, or not even then. What is kept for good, what has no mark, and what a run left
 * that did not come to its end are not ours to drop.
 */
export async function makeRoom(
  wanted: readonly Wanted[],
  { expired, kept }: Pick<Leftovers, 'expired' | 'kept'>,
  { databaseDisk, filestoreDisk, folderBytes }: Places,
): Promise<{ readonly dropFirst: readonly Remains[]; readonly freed: Freed }> {
  const nothing = { dropFirst: [], freed: new Map<string, number>() };
  if (tooLittle(wanted).length === 0) return nothing;
  const dropFirst: Remains[] = [];
  const freed = new Map<string, number>();
  const add = (disk: FileSystem | undefined, bytes: number) =>
    disk && freed.set(disk.device, (freed.get(disk.device) ?? 0) + bytes);
  for (const each of [...expired, ...kept.filter(({ mark }) => mark?.keep instanceof Date)]) {
    add(databaseDisk, each.bytes ?? 0);
    if (each.folder !== undefined) add(filestoreDisk, await folderBytes(each.folder));
    dropFirst.push(each);
    if (tooLittle(wanted, freed).length === 0) return { dropFirst, freed };
  }
  return nothing;
}

/** What has to stay free for Odoo's own data to grow, where what was replaced is kept for days. */
const LEAST_FREE = 1024 ** 3;

/** Why what is replaced cannot be kept: too little would be free beside it; undefined: it can. */
export function shortageOf(
  wanted: readonly Wanted[],
  disks: readonly (FileSystem | undefined)[],
  freed: Freed,
): string | undefined {
  for (const disk of disks) {
    if (!disk) continue;
    const lasting = wanted.filter((each) => each.disk?.device === disk.device && each.what !== WAL);
    const taken = lasting.reduce((sum, { bytes }) => sum + bytes, 0);
    const free = disk.free + (freed.get(disk.device) ?? 0) - taken;
    if (free < LEAST_FREE)
      return `only ${formatBytes(Math.max(0, free))} would stay free in ${disk.mount} beside it`;
  }
  return undefined;
}

const WAL = 'write-ahead log';

async function placeOf(
  { postgres: { host, account: as } }: Target,
  dump: DumpSource,
): Promise<{ readonly path: string; readonly disk: FileSystem | undefined } | undefined> {
  if (dump.kind === 'plain') return undefined;
  const path = await TempFolder.placeFor(host, as, dump.size);
  if (path === undefined) return undefined;
  return { path, disk: await fileSystemOf({ host, path, command: (argv) => ({ argv, as }) }) };
}

const NOTHING_FREED: Freed = new Map();

/** What does not fit, once something else has gone. */
export function tooLittle(wanted: readonly Wanted[], freed = NOTHING_FREED): Problem[] {
  return demandsOf(wanted)
    .filter(({ disk, bytes, spare }) => bytes + spare > disk.free + (freed.get(disk.device) ?? 0))
    .map(({ disk: { mount, free }, whats, bytes, spare }) => ({
      message: `Building the new ${whats.join(' and ')} takes about ${formatBytes(bytes)}, and ${mount} on the host has ${formatBytes(free)} left${
        spare === 0 ? '' : `, of which PostgreSQL has to keep ${formatBytes(spare)}`
      }`,
      hint: 'Free space on the host: a restore builds the new beside the old. What earlier ones have left may go as well (Left over, Kept so far).',
    }));
}

/** The needs of each file system, without those that need nothing or are not known. */
export function demandsOf(wanted: readonly Wanted[]): SpaceNeed[] {
  const demands = new Map<string, SpaceNeed>();
  for (const { what, bytes, disk, byServer } of wanted) {
    if (!disk || bytes === 0) continue;
    const before = demands.get(disk.device) ?? { disk, whats: [], bytes: 0, spare: 0 };
    demands.set(disk.device, {
      disk: before.disk,
      whats: [...before.whats, what],
      bytes: before.bytes + bytes,
      spare: byServer ? spareOf(before.disk) : before.spare,
    });
  }
  return [...demands.values()];
}

const noPlace = ({ postgres: { host } }: Target, bytes: number): Problem => ({
  message: `There is no room on ${host.label} for the dump: neither /tmp nor /var/tmp has the ${formatBytes(bytes)}`,
  hint: 'A dump in directory format has to lie on the host to be loaded. Free space, or choose another backup.',
});
