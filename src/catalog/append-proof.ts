import { failure, isNotFound, isNotImplemented } from '../s3/sdk-errors.ts';
import type { Store } from '../s3/store.ts';
import type { Signer } from '../signing/signer.ts';
import { UserError } from '../util/errors.ts';
import { receiptKey } from './keys.ts';
import { type Proof, storedProof } from './proofs.ts';
import { parseReceipt, type Receipt } from './receipt.ts';
import { checkAuthorship, signProof, type TrustedSigners } from './signatures.ts';

/** With which key a proof is signed, and whose proofs count. */
export interface ProofSigning {
  /** undefined: the proof is not signed. */
  readonly signer?: Signer | undefined;
  readonly signers?: TrustedSigners;
}

/** The bucket of backups, and how what is written there is signed. */
export interface SignedStore {
  readonly store: Store;
  readonly signing: ProofSigning;
}

/** How often another writer may come first. */
const ATTEMPTS = 5;

/**
 * Adds a proof to the receipt of an archive. What else the receipt says stays as it is, and so do proofs that somebody
 * has added meanwhile: it is written only where it is still the one that was read, as far as the server can tell.
 *
 * @param key of the archive
 * @returns the receipt as it is now, with the proofs that count
 * @throws UserError when it has gone, or is of another archive by now
 */
export async function appendProof(
  store: Store,
  key: string,
  proof: Proof,
  { signer, signers }: ProofSigning = {},
): Promise<Receipt> {
  const beside = receiptKey(key);
  for (let attempt = 1; ; attempt += 1) {
    const { value, etag } = await store.getTaggedJson(beside);
    const before = parseReceipt(value, store.uri(beside));
    if (before.key !== key) throw gone(store.uri(beside));
    const read = value as Receipt; // with what a newer version has written, and `before` leaves out
    const stored = storedProof(proof);
    const added = signer ? await signProof(stored, read, signer) : stored;
    const receipt = { ...read, proofs: [...read.proofs, added] };
    try {
      await put(store, beside, receipt, etag);
      return checkAuthorship(receipt, parseReceipt(receipt, store.uri(beside)), signers, undefined).receipt;
    } catch (error) {
      const { cause } = error as Error;
      if (isNotFound(cause)) throw gone(store.uri(beside), error);
      if (!isOvertaken(cause) || attempt === ATTEMPTS) throw error;
    }
  }
}

/** A server that does not know If-Match for writes gets the request without it. */
async function put(store: Store, key: string, receipt: Receipt, etag: string | undefined): Promise<void> {
  try {
    await store.putJson(key, receipt, etag);
  } catch (error) {
    if (!isNotImplemented((error as Error).cause)) throw error;
    await store.putJson(key, receipt);
  }
}

/** 412: another one is there by now; 409: somebody is just writing it. */
const isOvertaken = (error: unknown): boolean =>
  [409, 412].includes(failure(error).$metadata?.httpStatusCode ?? 0);

function gone(uri: string, cause?: unknown): UserError {
  return new UserError(
    `${uri} was removed or replaced while its archive was verified`,
    'Do not run prune and verify at the same time: use a concurrency group. What the verification found is only in the log.',
    { cause },
  );
}
