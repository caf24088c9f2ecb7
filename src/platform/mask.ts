/** Shorter pieces are in every text: masking them would hide the log and no secret. */
const SHORTEST = 3;

/** What must be masked for a secret to stay one: the whole of it, and each of its lines. */
export function piecesOf(secret: string): string[] {
  const lines = secret.split(/\r\n|\r|\n/).map((line) => line.trim());
  return [...new Set([secret.trim(), ...lines])].filter((piece) => piece.length >= SHORTEST);
}

/** Replaces secrets in everything that is printed, where the platform does not do that itself. */
export class Mask {
  #pieces: readonly string[] = [];

  add(secret: string): void {
    const pieces = new Set([...this.#pieces, ...piecesOf(secret)]);
    // The longest first: a secret may contain another one.
    this.#pieces = [...pieces].sort((a, b) => b.length - a.length);
  }

  apply(text: string): string {
    return this.#pieces.reduce((masked, piece) => masked.replaceAll(piece, '***'), text);
  }
}
