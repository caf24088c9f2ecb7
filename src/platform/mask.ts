/** Shorter pieces are in every text: masking them would hide the log and no secret. */
const SHORTEST = 3;

/** In base64 shorter ones are in many a text that has nothing to do with them. */
const SHORTEST_IN_BASE64 = 8;

/** What must be masked for a secret to stay one: the whole of it, and each of its lines. */
export function piecesOf(secret: string): string[] {
  const lines = secret.split(/\r\n|\r|\n/).map((line) => line.trim());
  return [...new Set([secret.trim(), ...lines])].filter((piece) => piece.length >= SHORTEST);
}

/** The forms in which programs repeat a text: in a URL, in JSON, in SQL, in a shell command, in base64. */
function formsOf(piece: string): string[] {
  const inUrl = encodeURIComponent(piece.toWellFormed());
  const inBase64 = Buffer.from(piece).toString('base64').replace(/=+$/, '');
  return [
    piece,
    inUrl,
    inUrl.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    inUrl.replaceAll('%20', '+'),
    JSON.stringify(piece).slice(1, -1),
    piece.replaceAll("'", "''"),
    piece.replaceAll("'", "'\\''"),
    ...(piece.length >= SHORTEST_IN_BASE64 ? [inBase64] : []),
  ];
}

/** Replaces secrets in everything that is printed. */
export class Mask {
  #forms: readonly string[] = [];

  add(secret: string): void {
    const forms = new Set([...this.#forms, ...piecesOf(secret).flatMap(formsOf)]);
    // The longest first: a secret may contain another one.
    this.#forms = [...forms].sort((a, b) => b.length - a.length);
  }

  apply(text: string): string {
    return this.#forms.reduce((masked, form) => masked.replaceAll(form, '***'), text);
  }

  /** Whether a text holds a secret. */
  finds(text: string): boolean {
    return this.#forms.some((form) => text.includes(form));
  }
}
