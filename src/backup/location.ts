/**
 * The scheme of `ir_attachment.location`. Some modules write keys and passwords behind it: `s3://key:secret@bucket`.
 */
export const schemeOf = (location: string): string => /^[\w.+-]+/.exec(location)?.[0] ?? 'unknown';

/** Its scheme and host, for people: `s3://bucket`. */
export function placeOf(location: string): string {
  const hostname = URL.canParse(location) ? new URL(location).hostname : '';
  return hostname === '' ? schemeOf(location) : `${schemeOf(location)}://${hostname}`;
}
