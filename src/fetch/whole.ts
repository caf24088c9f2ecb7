import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readRange } from '../archive/ranges.ts';
import { UnitCheck } from '../archive/units.ts';
import type { Selected } from '../backup-reader/select.ts';
import { counting } from '../platform/progress.ts';
import type { Run } from '../platform/run.ts';
import type { Store } from '../s3/store.ts';
import { UserError } from '../util/errors.ts';
import { formatBytes } from '../util/format.ts';
import { AHEAD, type Download, openDownload, otherBytes } from './download.ts';
import { fill, resumeFrom } from './fill.ts';
import { NewFile } from './new-file.ts';
import { checkOnDisk } from './on-disk.ts';
import { type FetchedFile, type FetchPlace, toStandardOutput } from './write.ts';

/**
 * Fetches the object as it is.
 *
 * @throws ContentError where it is not the one of its receipt
 */
export async function fetchWhole(
  store: Store,
  selected: Selected,
  { target, stdout }: FetchPlace,
  run: Run,
): Promise<FetchedFile> {
  const download = await openDownload(store, selected);
  return target.kind === 'path'
    ? toFile(download, target.path, target.replace, run)
    : toStream(download, stdout, run);
}

async function toFile(download: Download, path: string, replace: boolean, run: Run): Promise<FetchedFile> {
  const { uri, reader } = download;
  const { phases } = run;
  await using file = await NewFile.resume(path, replace);
  const from = await resumeFrom(download, file, run);
  await assertSpace(path, reader.size - from);
  await phases.transfer('fetch', `Fetch ${uri}`, reader.size - from, (progress) =>
    fill(download, file, from, (bytes) => progress.add(bytes), run),
  );
  await phases.transfer('check', `Check ${file.temporary}`, reader.size, (progress) =>
    checkOnDisk(download, file, (bytes) => progress.add(bytes), run),
  );
  await file.place();
  return { path, size: reader.size };
}

/** The bytes go out as they come: whoever reads them has to see how the program ends. */
function toStream(
  { uri, reader, units }: Download,
  stdout: NodeJS.WritableStream,
  { phases }: Run,
): Promise<FetchedFile> {
  const check = new UnitCheck(units);
  const checked = async function* () {
    for await (const bytes of readRange(reader, 0, reader.size, AHEAD)) {
      check.update(bytes);
      if (check.broken) throw otherBytes(uri, check.broken);
      yield bytes;
    }
  };
  return phases.transfer('fetch', `Fetch ${uri}`, reader.size, async (progress) => {
    await toStandardOutput(
      stdout,
      counting(checked(), progress, ({ length }) => length),
    );
    return { path: undefined, size: reader.size };
  });
}

/** @throws UserError where the disk has less room than that; some file systems do not say what they have */
async function assertSpace(path: string, needed: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(path)).catch(() => ({ bavail: Infinity, bsize: 1 }));
  if (bavail * bsize >= needed || bavail === 0) return;
  throw new UserError(
    `output: ${formatBytes(needed)} are to be written, and the disk of ${dirname(path)} has ${formatBytes(bavail * bsize)} left`,
    'Free some, or name a file on another disk.',
  );
}
