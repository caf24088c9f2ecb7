import type { ProofSigning } from '../catalog/append-proof.ts';
import type { Proof } from '../catalog/proofs.ts';
import type { Receipt } from '../catalog/receipt.ts';
import type { Store } from '../s3/store.ts';
import type { Identities } from '../sealing/identities.ts';

/** The archive to be proven. */
export interface Subject {
  readonly store: Store;
  readonly key: string;
  readonly receipt: Receipt;
  /** With which key its proof is signed, and whose proofs count. */
  readonly signing?: ProofSigning;
  /** What opens it, where it is sealed. */
  readonly identities?: Identities | undefined;
}

/** What a look at an archive has found out besides that nothing is wrong. */
export type ProofFindings = Pick<Proof, 'programs' | 'seconds'>;
