import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto';
import { WireReader, wireString } from './wire.ts';

/** A public key of SSH that checks signatures. */
export interface VerifyingKey {
  /** `ssh-ed25519` */
  readonly type: string;
  /** The key as SSH writes it, which two equal keys have in common. */
  readonly blob: Buffer;
  /** `SHA256:` and base64 without padding, as `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
  /** Whether a signature in SSH's form (its algorithm, then the rest) is of these bytes. False for one of no sense. */
  verifies(data: Buffer, signature: Buffer): boolean;
}

/** A signature is checked by these bytes of it, over these bytes of data. */
type SignatureCheck = (data: Buffer, algorithm: string, signature: WireReader) => boolean;

/** Shorter keys of RSA can be factored; larger ones OpenSSL refuses. In bits. */
const RSA_BITS = { least: 2048, most: 16_384 } as const;

const CURVES = {
  nistp256: { name: 'P-256', bytes: 32, digest: 'sha256' },
  nistp384: { name: 'P-384', bytes: 48, digest: 'sha384' },
  nistp521: { name: 'P-521', bytes: 66, digest: 'sha512' },
} as const;

/**
 * Reads a public key: Ed25519, ECDSA, RSA, and the first two of security keys.
 *
 * @throws Error that says what is wrong with it
 */
export function readPublicKey(blob: Buffer): VerifyingKey {
  const reader = new WireReader(blob);
  const type = reader.text();
  const check = checkOf(type, reader);
  reader.end();
  return {
    type,
    blob,
    fingerprint: fingerprintOf(blob),
    verifies(data, signature) {
      try {
        const parts = new WireReader(signature);
        const isValid = check(data, parts.text(), parts);
        parts.end();
        return isValid;
      } catch {
        return false;
      }
    },
  };
}

/** `SHA256:` and base64 without padding, as `ssh-keygen -l` prints it. */
const fingerprintOf = (blob: Buffer): string => `SHA256:${hash('sha256', blob, 'base64').replace(/=+$/, '')}`;

function checkOf(type: string, reader: WireReader): SignatureCheck {
  switch (type) {
    case 'ssh-ed25519':
      return only(type, ed25519(reader));
    case 'ssh-rsa':
      return rsa(reader);
    case 'ecdsa-sha2-nistp256':
      return only(type, ecdsa(reader, 'nistp256'));
    case 'ecdsa-sha2-nistp384':
      return only(type, ecdsa(reader, 'nistp384'));
    case 'ecdsa-sha2-nistp521':
      return only(type, ecdsa(reader, 'nistp521'));
    case 'sk-ssh-ed25519@openssh.com':
      return only(type, ofSecurityKey(ed25519(reader), reader.string()));
    case 'sk-ecdsa-sha2-nistp256@openssh.com':
      return only(type, ofSecurityKey(ecdsa(reader, 'nistp256'), reader.string()));
    case 'ssh-dss':
      throw new Error('it is a DSA key, which nothing takes any more');
    default:
      throw new Error(
        /-cert-v0\d@openssh\.com$/.test(type) ? 'it is a certificate, not a key' : 'its type is unknown',
      );
  }
}

/** Checks the signature that comes first in the reader. */
type Verify = (data: Buffer, signature: WireReader) => boolean;

const only =
  (type: string, check: Verify): SignatureCheck =>
  (data, algorithm, signature) =>
    algorithm === type && check(data, signature);

function ed25519(reader: WireReader): Verify {
  const point = reader.string();
  if (point.length !== 32) throw new Error('its point is not 32 bytes long');
  const key = fromJwk({ kty: 'OKP', crv: 'Ed25519', x: point.toString('base64url') });
  return (data, signature) => verify(null, data, key, signature.string());
}

function ecdsa(reader: WireReader, wanted: keyof typeof CURVES): Verify {
  const [curve, point] = [reader.text(), reader.string()];
  if (curve !== wanted) throw new Error('its curve is not the one of its type');
  const { name, bytes, digest } = CURVES[wanted];
  if (point.length !== 1 + 2 * bytes || point[0] !== 4) throw new Error('its point is no point of the curve');
  const [x, y] = [point.subarray(1, 1 + bytes), point.subarray(1 + bytes)];
  const key = fromJwk({ kty: 'EC', crv: name, x: x.toString('base64url'), y: y.toString('base64url') });
  return (data, signature) => {
    const raw = pairOf(signature.string(), bytes);
    return verify(digest, data, { key, dsaEncoding: 'ieee-p1363' }, raw);
  };
}

/** The two numbers of a signature (RFC 5656, section 3.1.2), each as long as the curve's. */
function pairOf(signature: Buffer, bytes: number): Buffer {
  const reader = new WireReader(signature);
  const pair = [reader.positive(bytes), reader.positive(bytes)].map((number) => padded(number, bytes));
  reader.end();
  return Buffer.concat(pair);
}

/** SHA-1 signatures of RSA do not count (RFC 8332). */
function rsa(reader: WireReader): SignatureCheck {
  const exponent = reader.positive(8);
  const modulus = reader.positive(RSA_BITS.most / 8);
  const bits = modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24;
  if (bits < RSA_BITS.least) throw new Error(`it has ${bits} bits, fewer than ${RSA_BITS.least}`);
  const key = fromJwk({ kty: 'RSA', n: modulus.toString('base64url'), e: exponent.toString('base64url') });
  const digests = new Map([
    ['rsa-sha2-256', 'sha256'],
    ['rsa-sha2-512', 'sha512'],
  ]);
  return (data, algorithm, signature) => {
    const digest = digests.get(algorithm);
    const bytes = signature.string(); // some programs leave leading zeros out
    if (digest === undefined || bytes.length > modulus.length) return false;
    return verify(digest, data, key, padded(bytes, modulus.length));
  };
}

/** OpenSSH's PROTOCOL.u2f: the key signs the application, flags and a counter, and the hash of the data. */
function ofSecurityKey(check: Verify, application: Buffer): Verify {
  return (data, signature) => {
    const inner = signature.string();
    const flagsAndCounter = signature.take(5);
    const signed = Buffer.concat([sha256(application), flagsAndCounter, sha256(data)]);
    return check(signed, new WireReader(wireString(inner)));
  };
}

const sha256 = (bytes: Buffer): Buffer => hash('sha256', bytes, 'buffer');

const padded = (number: Buffer, bytes: number): Buffer =>
  Buffer.concat([Buffer.alloc(Math.max(0, bytes - number.length)), number]);

function fromJwk(key: Record<string, string>): KeyObject {
  try {
    return createPublicKey({ key, format: 'jwk' });
  } catch (cause) {
    throw new Error('its numbers make no key', { cause });
  }
}
