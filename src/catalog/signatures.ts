import { hash } from 'node:crypto';
import { type AllowedSigner, whoSigned } from '../signing/allowed-signers.ts';
import type { VerifyingKey } from '../signing/public-key.ts';
import type { Signer } from '../signing/signer.ts';
import { checkSignature, keyOfSignature, SignatureError, signMessage } from '../signing/sshsig.ts';
import { messageOf, UserError } from '../util/errors.ts';
import { canonicalJson } from '../util/json.ts';
import type { Proof } from './proofs.ts';
import type { Receipt } from './receipt.ts';

/** What signatures of receipts are for, as `ssh-keygen -Y` has it. */
export const NAMESPACE = 'odoo-backup';

/** Whose signatures count; undefined: a signature is looked at, and nothing depends on it. */
export type TrustedSigners = readonly AllowedSigner[] | undefined;

/**
 * What is known of who wrote a receipt. `signed`: by a key that is in the list of trusted signers under these names, or
 * where there is no list. `unsigned`: as old ones are. `refused`: the signature does not fit, or its key is not to be
 * trusted; why is the end of a sentence about the receipt.
 */
export type Authorship =
  | { readonly kind: 'signed'; readonly fingerprint: string; readonly principals: string | undefined }
  | { readonly kind: 'unsigned' }
  | { readonly kind: 'refused'; readonly why: string };

/** Why a backup may not be taken: the end of a sentence about its receipt. undefined: as far as this goes, it may. */
export function whyNotTrusted(authorship: Authorship, signers: TrustedSigners): string | undefined {
  if (authorship.kind === 'refused') return authorship.why;
  return authorship.kind === 'unsigned' && signers ? 'is not signed' : undefined;
}

/** The fingerprint of the key that has signed a receipt of our own; empty where it is not signed. */
export const signedWith = ({ signature }: Receipt): string =>
  signature === undefined ? '' : keyOfSignature(signature).fingerprint;

/** A new receipt with its signature, and those of its proofs: see `signProof`. */
export async function signReceipt(receipt: Receipt, signer: Signer): Promise<Receipt> {
  const signature = await sign(signer, receiptStatement(asRead(receipt)));
  const proofs: Proof[] = [];
  for (const proof of receipt.proofs) {
    proofs.push(await signProof(proof, { ...receipt, signature, proofs }, signer));
  }
  return { ...receipt, signature, proofs };
}

/**
 * A proof with the signature of who has made it, which also covers the receipt and the proofs before it: none of them
 * can be left out, or changed, or be of another backup.
 *
 * @param proof as it is stored
 * @param receipt as it is stored, with the proofs before this one
 */
export async function signProof<T extends object>(
  proof: T,
  receipt: object,
  signer: Signer,
): Promise<T & { readonly signature: string }> {
  const read = asRead(receipt);
  return {
    ...proof,
    signature: await sign(signer, proofStatement(asRead(proof), chainOf(read).at(-1) ?? '')),
  };
}

/**
 * Checks the signatures of a receipt, and drops the proofs that have none where one is needed: that an archive has
 * passed, only a trusted signer can say, where signers are named, and so what a person has said of it. That it has
 * failed, anybody can: such a proof is without a signature then.
 *
 * @param value the receipt as it was stored, also with what a newer version has written
 * @param storedAt when S3 took the archive. Nobody who holds a key that is not valid any more can have it stored earlier.
 */
export function checkAuthorship(
  value: unknown,
  receipt: Receipt,
  signers: TrustedSigners,
  storedAt: Date | undefined,
): { readonly receipt: Receipt; readonly authorship: Authorship } {
  const read = value as Raw;
  const times = [new Date(receipt.finishedAt), ...(storedAt ? [storedAt] : [])];
  const authorship = authorOf(receipt.signature, receiptStatement(read), signers, times);
  const chain = chainOf(read);
  const proofs = receipt.proofs.flatMap((proof, index) => {
    const statement = proofStatement(read.proofs[index] as object, chain[index] ?? '');
    const author = authorOf(proof.signature, statement, signers, [new Date(proof.at)]);
    if (whyNotTrusted(author, signers) === undefined) return [proof];
    const { signature: _, ...unsigned } = proof;
    return proof.failure === undefined || proof.remark ? [] : [unsigned];
  });
  return { receipt: { ...receipt, proofs }, authorship };
}

function authorOf(
  signature: string | undefined,
  statement: string,
  signers: TrustedSigners,
  times: readonly Date[],
): Authorship {
  if (signature === undefined) return { kind: 'unsigned' };
  let key: VerifyingKey;
  try {
    key = checkSignature(signature, NAMESPACE, statement);
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    return { kind: 'refused', why: `has a signature that ${error.message}` };
  }
  const { fingerprint } = key;
  if (!signers) return { kind: 'signed', fingerprint, principals: undefined };
  const found = whoSigned(signers, key, NAMESPACE, times);
  if (found.kind === 'allowed') return { kind: 'signed', fingerprint, principals: found.principals };
  return {
    kind: 'refused',
    why: `is signed with a key that ${found.why} of trusted signers: ${fingerprint}`,
  };
}

/** A receipt, or a proof, as JSON gives it. */
type Raw = Readonly<Record<string, unknown>> & { readonly proofs: readonly unknown[] };

/** What is read back of it: without what JSON leaves out. */
const asRead = (value: object): Raw => JSON.parse(JSON.stringify(value));

/** What the signature of a receipt is over: all of it but its proofs, which are added later. */
function receiptStatement({ signature: _, proofs: __, ...rest }: Raw): string {
  return canonicalJson(rest);
}

/** What the signature of a proof is over: the proof, and what stands before it. */
function proofStatement(proof: object, before: string): string {
  const { signature: _, ...rest } = proof as { readonly signature?: unknown };
  return canonicalJson({ before, proof: rest });
}

/** What stands before each proof, and before one that is added: the receipt and its proofs, as SHA-256. */
function chainOf(receipt: Raw): string[] {
  const links = [hash('sha256', receiptStatement(receipt), 'hex')];
  for (const proof of receipt.proofs) {
    links.push(hash('sha256', canonicalJson({ before: links.at(-1), proof }), 'hex'));
  }
  return links;
}

async function sign(signer: Signer, statement: string): Promise<string> {
  try {
    return await signMessage(signer, NAMESPACE, statement);
  } catch (cause) {
    throw new UserError(
      `The backup cannot be signed: ${messageOf(cause)}`,
      'An SSH agent may have refused (`ssh-add -l` lists its keys). Give a key of its own: signing-key.',
      { cause },
    );
  }
}
