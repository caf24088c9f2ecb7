/** A receipt as somebody leaves it who changes it and cannot sign it. */
export function unsigned(receipt: unknown): object {
  const {
    signature: _,
    proofs = [],
    ...rest
  } = receipt as { signature?: string; proofs?: readonly object[] };
  return { ...rest, proofs: proofs.map((proof) => ({ ...proof, signature: undefined })) };
}
