/** A private key that signs, wherever it is: in a file, or in an SSH agent. */
export interface Signer {
  /** The public half, as SSH writes it. */
  readonly publicKey: Buffer;
  /** Signs, and returns the signature in SSH's form: its algorithm, then the rest. RSA keys sign with SHA-512. */
  sign(data: Buffer): Promise<Buffer>;
}
