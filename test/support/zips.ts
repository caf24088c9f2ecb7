import type { DirectoryEntry } from '../../src/archive/central-directory.ts';
import { type RangeReader, readDirectory } from '../../src/archive/reader.ts';
import { run } from './processes.ts';

/** Reads from memory and notes the ranges. */
export function rangesOf(
  bytes: Buffer,
): RangeReader & { readonly ranges: [offset: number, length: number][] } {
  const ranges: [number, number][] = [];
  return {
    size: bytes.length,
    ranges,
    async read(offset, length) {
      ranges.push([offset, length]);
      return bytes.subarray(offset, offset + length);
    },
  };
}

/** A zip's entries by their names. */
export async function entriesOf(zip: Buffer): Promise<Map<string, DirectoryEntry>> {
  const { entries } = await readDirectory(rangesOf(zip));
  return new Map(Array.from(entries(), (entry) => [entry.name, entry]));
}

/**
 * A zip as Python writes it, in the way of `zipfile.ZipFile` as `z`, `zipfile` at hand.
 * @param script such as `z.writestr('dump.sql', 'SELECT 1;')`
 */
export async function pythonZip(
  script: string,
  options: { readonly streamed?: boolean } = {},
): Promise<Buffer> {
  // To a pipe, sizes and CRC-32 follow the content: APPNOTE 4.3.9.
  const target = options.streamed ? 'Pipe()' : 'io.BytesIO()';
  const program = `import base64, io, os, sys, warnings, zipfile
warnings.simplefilter('ignore')
class Pipe(io.RawIOBase):
    def __init__(self): self.bytes = bytearray()
    def writable(self): return True
    def write(self, data): self.bytes += data; return len(data)
    def getvalue(self): return bytes(self.bytes)
target = ${target}
with zipfile.ZipFile(target, 'w', zipfile.ZIP_DEFLATED) as z:
${script.replace(/^/gm, '    ')}
sys.stdout.write(base64.b64encode(target.getvalue()).decode())`;
  return Buffer.from(await run(['python3', '-c', program]), 'base64');
}
