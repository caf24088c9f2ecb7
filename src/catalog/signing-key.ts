import { openSigner, type SigningKey } from '../host/ssh/signers.ts';
import { whoSigned } from '../signing/allowed-signers.ts';
import { readPublicKey } from '../signing/public-key.ts';
import { messageOf } from '../util/errors.ts';
import type { ProofSigning } from './append-proof.ts';
import { NAMESPACE, type TrustedSigners } from './signatures.ts';

/** How a run signs, and whose signatures count. */
export interface SigningOptions {
  /** undefined: nothing is signed. */
  readonly key: SigningKey | undefined;
  readonly signers: TrustedSigners;
}

/** Where it is told: the log of a run. */
interface SigningLog {
  info(message: string): void;
  warning(message: string): void;
}

/** Finds the key, and tells the log. One that cannot sign is a warning: a backup without a signature is one all the same. */
export async function openSigning({ key, signers }: SigningOptions, log: SigningLog): Promise<ProofSigning> {
  if (!key) {
    if (signers)
      log.warning(`There is no key to sign with, so this will not count: give signing-key. ${COUNTED}`);
    return { signers };
  }
  try {
    const signer = await openSigner(key);
    const publicKey = readPublicKey(signer.publicKey);
    log.info(`Signs with the key ${publicKey.fingerprint}`);
    const found = signers && whoSigned(signers, publicKey, NAMESPACE, [new Date()]);
    if (found?.kind === 'refused') {
      log.warning(`The key ${publicKey.fingerprint} ${found.why} of trusted signers. ${COUNTED}`);
    }
    return { signer, signers };
  } catch (error) {
    log.warning(`Nothing will be signed: ${messageOf(error)}`);
    return { signers };
  }
}

const COUNTED = 'With trusted-signers, only what one of them has signed counts.';
