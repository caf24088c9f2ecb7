/**
 * Whether an S3 service makes an object only of parts of one size, except for the last one. Cloudflare's R2 does so:
 * https://developers.cloudflare.com/r2/objects/multipart-objects/
 */
export function wantsEqualParts(endpoint: string | undefined): boolean {
  const host = URL.parse(endpoint ?? '')?.hostname ?? '';
  return /(^|\.)r2\.cloudflarestorage\.com$/.test(host);
}
