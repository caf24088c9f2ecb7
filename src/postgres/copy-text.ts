// The text format of COPY: https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.2

/** A row of a table, or the beginning of one that is longer than what is held of it. */
export interface CopyRow {
  readonly bytes: Buffer;
  readonly isCut: boolean;
}

const TAB = 9;
const LF = 10;
const CR = 13;
const END_OF_DATA = '\\.';

/** One column in the list of a COPY statement. */
const COLUMN = /"((?:[^"]|"")+)"|([^\s",()]+)/g;

/**
 * The columns of a COPY statement as pg_dump writes it, by their names; undefined: it has no list of them.
 *
 * @param statement `COPY public.ir_attachment (id, "Name") FROM stdin;`
 */
export function copyColumns(statement: string): string[] | undefined {
  const list = /\(((?:"(?:[^"]|"")*"|[^"()])*)\) FROM stdin;/i.exec(statement)?.[1];
  if (list === undefined) return undefined;
  return Array.from(
    list.matchAll(COLUMN),
    ([, quoted, plain = '']) => quoted?.replaceAll('""', '"') ?? plain,
  );
}

/**
 * The rows of a COPY, up to the line `\.` or the end.
 *
 * @param longest bytes of a row that are held
 */
export async function* copyRows(chunks: AsyncIterable<Buffer>, longest: number): AsyncGenerator<CopyRow> {
  let parts: Buffer[] = [];
  let length = 0;
  let isCut = false;
  const keep = (bytes: Buffer) => {
    const kept = bytes.subarray(0, Math.max(0, longest - length));
    isCut ||= kept.length < bytes.length;
    length += kept.length;
    if (kept.length > 0) parts.push(kept);
  };
  for await (const chunk of chunks) {
    let at = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, at)) {
      keep(chunk.subarray(at, end));
      const bytes = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
      if (isEndOfData(bytes)) return;
      yield { bytes, isCut };
      [parts, length, isCut, at] = [[], 0, false, end + 1];
    }
    keep(Buffer.from(chunk.subarray(at))); // the chunk may be used again
  }
  if (length > 0 && !isEndOfData(Buffer.concat(parts))) yield { bytes: Buffer.concat(parts), isCut };
}

function isEndOfData(line: Buffer): boolean {
  if (line[0] !== END_OF_DATA.charCodeAt(0) || line.length > END_OF_DATA.length + 1) return false;
  const end = line.at(-1) === CR ? line.length - 1 : line.length;
  return line.toString('latin1', 0, end) === END_OF_DATA;
}

/**
 * Reads some columns of rows.
 *
 * @param columns of the table, in their order
 * @returns for a row the values that it has: none for NULL, for a column that the table does not have, and behind where
 * the row was cut
 */
export function columnReader<N extends string>(
  columns: readonly string[],
  names: readonly N[],
): (row: CopyRow) => Partial<Record<N, string>> {
  const wanted = new Map(names.map((name) => [columns.indexOf(name), name] as const));
  const last = Math.max(...wanted.keys());
  return ({ bytes, isCut }) => {
    const values: Partial<Record<N, string>> = {};
    let start = 0;
    for (let column = 0; column <= last; column++) {
      const tab = bytes.indexOf(TAB, start);
      if (tab < 0 && isCut) break;
      const end = tab < 0 ? bytes.length : tab;
      const name = wanted.get(column);
      if (name !== undefined && bytes.toString('latin1', start, Math.min(end, start + 3)) !== '\\N') {
        values[name] = unescaped(bytes.toString('utf8', start, end));
      }
      if (tab < 0) break;
      start = tab + 1;
    }
    return values;
  };
}

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** What a value of COPY stands for. */
export const unescaped = (value: string): string =>
  value.includes('\\') ? value.replaceAll(/\\(.)/gs, (_, sign: string) => ESCAPES[sign] ?? sign) : value;
