import { isUtf8 } from 'node:buffer';

/** Objects and lists in each other. What this program writes has 6. */
const DEEPEST = 32;
/** Values of all kinds: what they take in memory, not in the file. */
const MOST_VALUES = 5_000_000;

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/**
 * Parses JSON that somebody else may have written: what would take the stack or the memory is refused before it is
 * built.
 *
 * @throws Error that says what is wrong
 */
export function parseJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new Error('it is not UTF-8');
  assertBounded(bytes);
  return JSON.parse(bytes.toString('utf8'));
}

function assertBounded(bytes: Buffer): void {
  let [depth, values] = [0, 0];
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) at = endOfString(bytes, at);
    else if (byte === COMMA) values++;
    else if (CLOSING.has(byte)) depth--;
    else if (OPENING.has(byte)) {
      values++;
      if (++depth > DEEPEST) throw new Error(`it nests deeper than ${DEEPEST} levels`);
    }
    if (values > MOST_VALUES) throw new Error(`it holds more than ${MOST_VALUES} values`);
  }
}

/** Where the quotation mark stands that ends a string; the end of the text where there is none. */
function endOfString(bytes: Buffer, start: number): number {
  for (let at = start + 1; at < bytes.length; at++) {
    if (bytes[at] === BACKSLASH) at++;
    else if (bytes[at] === QUOTE) return at;
  }
  return bytes.length;
}

/**
 * A value of JSON as one text, whatever the order of its names and the white space were: names sorted by their code
 * points, nothing between the parts (`jq -cS` writes the same).
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const parts = Object.entries(value)
    .filter(([, part]) => part !== undefined)
    .sort(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other)))
    .map(([name, part]) => `${JSON.stringify(name)}:${canonicalJson(part)}`);
  return `{${parts.join(',')}}`;
}
