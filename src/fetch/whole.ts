import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readRange } from '../archive/ranges.ts';
import { UnitCheck } from '../archive/units.ts';
import { assertCanOpen, sealedBackup } from '../backup-reader/seal.ts';
import type { Selected } from '../backup-reader/select.ts';
import { counting } from '../platform/progress.ts';
import type { Run } from '../platform/run.ts';
import type { Store } from '../s3/store.ts';
import type { Identities } from '../sealing/identities.ts';
import { UserError } from '../util/errors.ts';
import { formatBytes } from '../util/format.ts';
import { type Download, openDownload, otherBytes, READ_AHEAD } from './download.ts';
import { fill, resumeFrom } from './fill.ts';
import { NewFile } from './new-file.ts';
import { checkOnDisk, otherOnDisk, rangesOf } from './on-disk.ts';
import { openObject, type SealedObject } from './plain-zip.ts';
import type { FetchTarget } from './request.ts';
import { type FetchedFile, type FetchPlace, toStandardOutput } from './write.ts';

/** The object to be fetched. */
export interface WholeObject {
  readonly store: Store;
  readonly selected: Selected;
  /** What opens it, where it is sealed. */
  readonly identities: Identities | undefined;
}

/**
 * Fetches the object as it is; a sealed one as it would be if it was not sealed.
 *
 * @throws ContentError where it is not the one of its receipt
 */
export async function fetchWhole(
  { store, selected, identities }: WholeObject,
  { target, stdout }: FetchPlace,
  run: Run,
): Promise<FetchedFile> {
  const { key, receipt } = selected;
  const download = await openDownload(store, selected);
  const { uri } = download;
  const sealed = sealedBackup(uri, receipt);
  assertCanOpen(sealed, identities);
  const name = key.slice(key.lastIndexOf('/') + 1);
  const opening = { sealed, receipt, identities, name };
  return target.kind === 'path'
    ? toFile(download, opening, target, run)
    : toStream(download, opening, stdout, run);
}

/** What opens an object that may be sealed. */
type SealedOpening = Pick<SealedObject, 'sealed' | 'receipt' | 'identities' | 'name'>;

type PathTarget = Extract<FetchTarget, { kind: 'path' }>;

async function toFile(
  download: Download,
  opening: SealedOpening,
  { path, replace }: PathTarget,
  run: Run,
): Promise<FetchedFile> {
  const { uri, reader } = download;
  const { phases } = run;
  const isSealed = (await openObject({ ...opening, reader, seen: () => {} })) !== undefined;
  await using file = await NewFile.resume(path, replace);
  const from = await resumeFrom(download, file, run);
  await assertSpace(path, reader.size - from + (isSealed ? reader.size : 0));
  await phases.transfer('fetch', `Fetch ${uri}`, reader.size - from, (progress) =>
    fill(download, { file, from }, (bytes) => progress.add(bytes), run),
  );
  if (isSealed) return await toOpenedFile(download, opening, file, run);
  await phases.transfer('check', `Check ${file.temporary}`, reader.size, (progress) =>
    checkOnDisk(download, file, (bytes) => progress.add(bytes), run),
  );
  await file.place();
  return { path, size: reader.size };
}

/** Opens the file, which is sealed, into another one, and removes it. */
async function toOpenedFile(
  download: Download,
  opening: SealedOpening,
  file: NewFile,
  { platform, phases, signal }: Run,
): Promise<FetchedFile> {
  const { path, temporary, replace } = file;
  await using opened = await NewFile.create(path, replace);
  const size = await phases.transfer('open', `Open ${temporary}`, download.reader.size, async (progress) => {
    const check = new UnitCheck(download.units);
    const seen = (bytes: Buffer) => {
      check.update(bytes);
      progress.add(bytes.length);
    };
    const reader = rangesOf(file, download.reader.size, signal);
    const content = await openObject({ ...opening, reader, seen });
    let at = 0;
    for await (const bytes of content ?? []) {
      await opened.write(bytes, at);
      at += bytes.length;
    }
    if (check.broken) throw otherOnDisk(file, check.broken);
    platform.info(`${formatBytes(at)}, as they were before they were sealed`);
    return at;
  });
  await opened.place();
  await file.remove();
  return { path, size };
}

/** The bytes go out as they come: whoever reads them has to see how the program ends. */
async function toStream(
  { uri, reader, units }: Download,
  opening: SealedOpening,
  stdout: NodeJS.WritableStream,
  { phases }: Run,
): Promise<FetchedFile> {
  const check = new UnitCheck(units);
  const seen = (bytes: Buffer) => {
    check.update(bytes);
    if (check.broken) throw otherBytes(uri, check.broken);
  };
  const opened = await openObject({ ...opening, reader, seen });
  if (opened) {
    return phases.transfer('fetch', `Fetch ${uri}, and open it`, undefined, async (progress) => {
      let size = 0;
      const passed = counting(opened, progress, ({ length }) => {
        size += length;
        return length;
      });
      await toStandardOutput(stdout, passed);
      return { path: undefined, size };
    });
  }
  const checked = async function* () {
    for await (const bytes of readRange(reader, 0, reader.size, READ_AHEAD)) {
      seen(bytes);
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
    'Free some space, or name a file on another disk.',
  );
}
