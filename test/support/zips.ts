import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { DirectoryEntry, HasEntry } from '../../src/archive/central-directory.ts';
import type { RangeReader } from '../../src/archive/ranges.ts';
import { readDirectory } from '../../src/archive/reader.ts';

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

/** A zip's entries as they are read, in the directory's order. */
export async function filesOf(zip: Buffer): Promise<HasEntry[]> {
  return Array.from((await entriesOf(zip)).values(), (entry) => ({ entry }));
}

/**
 * A zip as Python writes it, in the way of `zipfile.ZipFile` as `z`, `zipfile` at hand.
 * @param script such as `z.writestr('dump.sql', 'SELECT 1;')`
 */
export async function pythonZip(
  script: string,
  options: { readonly streamed?: boolean } = {},
): Promise<Buffer> {
  python ??= startPython();
  const { zip, error } = JSON.parse(await python(JSON.stringify({ script, ...options })));
  if (error !== undefined) throw new Error(error);
  return Buffer.from(zip, 'base64');
}

/** Writes one line to it, and reads its answer. */
let python: ((line: string) => Promise<string>) | undefined;

/** Python takes a tenth of a second to start: one for all zips of a test file, which ends with it. */
function startPython(): (line: string) => Promise<string> {
  const child = spawn('python3', ['-c', PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const holdsProcess = (hold: boolean) => {
    for (const each of [child, child.stdin as Socket, child.stdout as Socket])
      hold ? each.ref() : each.unref();
  };
  let underway = 0;
  return async (line) => {
    if (underway++ === 0) holdsProcess(true);
    try {
      child.stdin.write(`${line}\n`);
      const { value, done } = await answers.next();
      if (done) throw new Error('python3 ended');
      return value;
    } finally {
      if (--underway === 0) holdsProcess(false); // it is no reason for this process to go on
    }
  };
}

// To a pipe, sizes and CRC-32 follow the content: APPNOTE 4.3.9.
const PROGRAM = `
import base64, io, json, os, sys, traceback, warnings, zipfile
warnings.simplefilter('ignore')
class Pipe(io.RawIOBase):
    def __init__(self): self.bytes = bytearray()
    def writable(self): return True
    def write(self, data): self.bytes += data; return len(data)
    def getvalue(self): return bytes(self.bytes)
for line in sys.stdin:
    asked = json.loads(line)
    target = Pipe() if asked.get('streamed') else io.BytesIO()
    try:
        with zipfile.ZipFile(target, 'w', zipfile.ZIP_DEFLATED) as z:
            exec(asked['script'], {'z': z, 'base64': base64, 'io': io, 'os': os, 'sys': sys, 'zipfile': zipfile})
        answer = {'zip': base64.b64encode(target.getvalue()).decode()}
    except Exception:
        answer = {'error': traceback.format_exc()}
    print(json.dumps(answer), flush=True)
`;
