import { readRange } from '../archive/ranges.ts';
import { UnitCheck } from '../archive/units.ts';
import type { Run } from '../platform/run.ts';
import { formatBytes } from '../util/format.ts';
import { type Download, otherBytes, READ_AHEAD } from './download.ts';
import type { NewFile } from './new-file.ts';
import { rangesOf } from './on-disk.ts';

/** How often a unit is asked for whose bytes are not those of the receipt, before the archive is blamed. */
const ATTEMPTS = 2;

/** Compares what an earlier run has left with the receipt. @returns how many bytes of it are right */
export async function resumeFrom(
  { units, covered, reader }: Download,
  file: NewFile,
  run: Run,
): Promise<number> {
  const { size } = await file.handle.stat();
  if (size === 0) return 0;
  const leading = units.filter(({ offset }) => offset < covered);
  return run.phases.run('resume', `Look at ${file.temporary}, which an earlier run has left`, async () => {
    const there = rangesOf(file, Math.min(size, reader.size), run.signal);
    const check = new UnitCheck(leading);
    for await (const bytes of readRange(there, 0, there.size)) {
      check.update(bytes);
      if (check.broken) break;
    }
    const { proven } = check;
    await file.handle.truncate(proven);
    run.platform.info(
      proven > 0
        ? `${formatBytes(proven)} of it are right: going on from there`
        : 'Nothing of it can be used: it is of another object, or nothing says what it has to be. Beginning anew',
    );
    return proven;
  });
}

/** A file, and how many of its first bytes are right. */
export interface BegunFile {
  readonly file: NewFile;
  readonly from: number;
}

/** Writes the object into the file, behind what is right of it. */
export async function fill(
  { uri, reader, units }: Download,
  { file, from }: BegunFile,
  passed: (bytes: number) => void,
  { platform }: Run,
): Promise<void> {
  let at = from;
  for (let attempt = 1; ; attempt++) {
    const check = new UnitCheck(units, at);
    for await (const bytes of readRange(reader, at, reader.size, READ_AHEAD)) {
      await file.write(bytes, at);
      at += bytes.length;
      passed(bytes.length);
      check.update(bytes);
      if (check.broken) break;
    }
    if (!check.broken) return;
    const error = otherBytes(uri, check.broken);
    if (attempt === ATTEMPTS) {
      await file.handle.truncate(check.proven); // what is left is right
      throw error;
    }
    platform.warning(`${error.message} They are read once more`);
    at = check.broken.offset;
  }
}
