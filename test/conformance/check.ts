import type { Store, StoreOptions } from '../../src/s3/store.ts';

/** What checks have to hand: a place of their own on the server. */
export interface Probe {
  /** As a backup would open it. */
  readonly store: Store;
  /** Whether other buckets may be made: not beside one that was given. */
  readonly ownBuckets: boolean;
  /** Opens the same place with other settings. Closed at the end. */
  open(options: Partial<StoreOptions>): Store;
  /** A bucket that is removed at the end with all its versions, locked ones as well. */
  makeBucket(options: { readonly locks: boolean }): Promise<Store>;
  /** A key under the own prefix. */
  key(name: string): string;
}

/** Undefined: it could not be found out. The detail is the end of a sentence, or none. */
export interface Answer {
  readonly holds: boolean | undefined;
  readonly detail?: string;
}

/** One thing that S3 servers can or cannot do. */
export interface Check {
  readonly id: string;
  /** What the server does where it holds. */
  readonly title: string;
  /** Without it, no backup would be safe. */
  readonly required?: true;
  /** What this project does where it holds, and where it does not. */
  readonly uses: string;
  readonly otherwise: string;
  /** What it throws means that it does not hold. */
  readonly run: (probe: Probe) => Promise<Answer>;
}

export interface Finding extends Answer, Pick<Check, 'id' | 'title' | 'required' | 'uses' | 'otherwise'> {}
