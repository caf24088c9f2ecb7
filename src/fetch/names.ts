/** Bytes of the part that the attachment's own name gives: with the SHA-1, few enough for every file system. */
const MOST_BYTES = 150;
/** An ending with its dot, in characters, that is kept where a name is cut. */
const LONGEST_ENDING = 12;

/**
 * The name of the file that an attachment is written to: `<SHA-1>-<name>`. The name comes from the database, where
 * anybody may have made it up: what is no letter, digit or one of ` ._-` becomes `_`.
 */
export function attachmentFileName(sha1: string, name: string): string {
  const plain = name
    .toWellFormed()
    .normalize('NFC')
    .replaceAll(/[^\p{L}\p{M}\p{N} ._-]+/gu, '_')
    .replaceAll(/\.{2,}/g, '.')
    .replaceAll(/^[ ._-]+|[ .]+$/g, '');
  if (plain === '') return sha1;
  const ending = /\.[^. ]+$/.exec(plain)?.[0] ?? '';
  const kept = ending.length <= LONGEST_ENDING ? ending : '';
  const stem = cutToBytes(plain.slice(0, plain.length - kept.length), MOST_BYTES - Buffer.byteLength(kept));
  return `${sha1}-${stem}${kept}`;
}

function cutToBytes(text: string, most: number): string {
  let [bytes, cut] = [0, ''];
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > most) break;
    cut += character;
  }
  return cut;
}
