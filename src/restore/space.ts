import type { DumpSource } from '../backup-reader/dump.ts';
import { type FileSystem, fileSystemOf } from '../host/disk-space.ts';
import { TempFolder } from '../host/temp-folder.ts';
import { databaseFileSystem, maxWalBytes } from '../postgres/disk-space.ts';
import { formatBytes } from '../util/format.ts';
import type { Problem } from './problem.ts';
import { spareOf } from './room.ts';
import type { Target } from './target.ts';

/** Where a restore writes, and what stands in its way there. */
export interface Space {
  readonly problems: readonly Problem[];
  /** undefined: nobody can tell. */
  readonly databaseDisk: FileSystem | undefined;
  /** Of the write-ahead log. */
  readonly walDisk: FileSystem | undefined;
  readonly filestoreDisk: FileSystem | undefined;
  /** Where the dump lies on the host while it is loaded; undefined: it is loaded as it comes. */
  readonly dumpPlace: string | undefined;
}

/** Something that is to be written. */
export interface Wanted {
  readonly what: string;
  readonly bytes: number;
  /** undefined: nobody can tell. */
  readonly disk: FileSystem | undefined;
  /** By PostgreSQL, which has to be left some space (`whileRoomLasts`). */
  readonly byServer: boolean;
}

/** What is wanted of one file system. */
export interface Demand {
  readonly disk: FileSystem;
  readonly whats: readonly string[];
  readonly bytes: number;
  /** Bytes that have to stay free besides. */
  readonly spare: number;
}

/** Read only. What is to be written is summed up by file system: on many hosts there is one for all of it. */
export async function checkSpace(
  target: Target,
  dump: DumpSource,
  databaseBytes: number,
  filestoreBytes: number,
): Promise<Space> {
  const { admin, current, filestore } = target;
  const [databaseDisk, walDisk, filestoreDisk, maxWal, place] = await Promise.all([
    databaseFileSystem(admin, current?.tablespace),
    databaseFileSystem(admin),
    filestore && fileSystemOf(filestore),
    maxWalBytes(admin),
    placeOf(target, dump),
  ]);
  const wanted: Wanted[] = [
    { what: 'database', bytes: databaseBytes, disk: databaseDisk, byServer: true },
    { what: 'write-ahead log', bytes: Math.min(databaseBytes, maxWal), disk: walDisk, byServer: true },
    { what: 'filestore', bytes: filestoreBytes, disk: filestoreDisk, byServer: false },
  ];
  const withDump = [...wanted, { what: 'dump', bytes: dump.size, disk: place?.disk, byServer: false }];
  const disks = { databaseDisk, walDisk, filestoreDisk };
  if (dump.kind === 'directory') {
    const problems = place ? tooLittle(withDump) : [...tooLittle(wanted), noPlace(target, dump.size)];
    return { ...disks, dumpPlace: place?.path, problems };
  }
  const fits = place && tooLittle(withDump).length === 0;
  return { ...disks, dumpPlace: fits ? place.path : undefined, problems: tooLittle(wanted) };
}

async function placeOf(
  { postgres: { host, account: as } }: Target,
  dump: DumpSource,
): Promise<{ readonly path: string; readonly disk: FileSystem | undefined } | undefined> {
  if (dump.kind === 'plain') return undefined;
  const path = await TempFolder.placeFor(host, as, dump.size);
  if (path === undefined) return undefined;
  return { path, disk: await fileSystemOf({ host, path, command: (argv) => ({ argv, as }) }) };
}

/** What does not fit. */
export function tooLittle(wanted: readonly Wanted[]): Problem[] {
  return demandsOf(wanted)
    .filter(({ disk, bytes, spare }) => bytes + spare > disk.free)
    .map(({ disk: { mount, free }, whats, bytes, spare }) => ({
      message: `Building the new ${whats.join(' and ')} takes about ${formatBytes(bytes)}, and ${mount} on the host has ${formatBytes(free)} left${
        spare === 0 ? '' : `, of which PostgreSQL has to keep ${formatBytes(spare)}`
      }`,
      hint: 'Free space on the host: a restore builds the new beside the old.',
    }));
}

/** By file system; those of which nothing is wanted, or nobody can tell anything, are left out. */
export function demandsOf(wanted: readonly Wanted[]): Demand[] {
  const demands = new Map<string, Demand>();
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
  message: `There is no place on ${host.label} for the dump: neither /tmp nor /var/tmp has the ${formatBytes(bytes)}`,
  hint: 'A dump in directory format has to lie on the host to be loaded. Free space, or choose another backup.',
});
