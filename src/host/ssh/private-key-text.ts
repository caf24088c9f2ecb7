const ARMOR = /-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----([\s\S]*?)-----END \1-----/;
/** RFC 1421: what stands before the body of an encrypted key in PEM form. */
const HEADERS = /^\s*(Proc-Type:\s*\S+)\s+(DEK-Info:\s*\S+)\s+([\s\S]*)$/;

/**
 * The text of a private key as a program writes it, where a secret store, a YAML file or a clipboard has changed it:
 * quotes around it, indented lines, Windows' line ends, line breaks that became spaces or `\n`, spaces that do not
 * break, or all of it in base64. Other blocks, such as EC PARAMETERS, are left out.
 */
export function privateKeyText(value: string): string {
  const unquoted = value.trim().replace(/^(["'])([\s\S]*)\1$/, '$2');
  const text = decoded(unquoted).replaceAll(/\r\n?/g, '\n').replaceAll('\u00a0', ' ').trim();
  const [, kind, body = ''] = ARMOR.exec(text.replaceAll(/\\r|\\n/g, '\n')) ?? [];
  if (kind === undefined) return `${text}\n`;
  const [, process, cipher, encrypted] = HEADERS.exec(body) ?? [];
  const base64 = (encrypted ?? body).replaceAll(/\s/g, '');
  const headers = process && cipher ? [process, cipher, ''] : [];
  const lines = base64.match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${kind}-----`, ...headers, ...lines, `-----END ${kind}-----`, ''].join('\n');
}

/** A key that was put into base64 as a whole, so that it keeps its line breaks. */
function decoded(value: string): string {
  const compact = value.replaceAll(/\s/g, '');
  if (!/^[A-Za-z0-9+/]{40,}={0,2}$/.test(compact)) return value;
  const text = Buffer.from(compact, 'base64').toString('utf8').trimStart();
  return /^(-----BEGIN |PuTTY-User-Key-File-|ssh-|ecdsa-)/.test(text) ? text : value;
}

/** Whether a value without white space is a key after all, and not the path of one. */
export const isEncodedKey = (value: string): boolean => decoded(value) !== value;

/** The bytes between the first line and the last one. */
export function bodyOf(text: string): Buffer {
  return Buffer.from(ARMOR.exec(text)?.[2] ?? '', 'base64');
}
