import type { RestoreTest } from './restore/restore-test.ts';
import type { PostgresBinaries } from './restore/servers/binaries.ts';

/** How far a backup is to be proven, and what that takes. */
export type ProofOptions = UploadLevelOptions | LookOptions;

/** The levels that take a look of their own; `upload` is proven while an archive is uploaded. */
export type LookOptions = ContentsOptions | RestoreTestOptions | BootTestOptions;

export type Provable = LookOptions['level'];

interface AnyLevelOptions {
  /** PostgreSQL for the runner, where it has none of its own that fits. */
  readonly binaries?: PostgresBinaries;
}

interface UploadLevelOptions extends AnyLevelOptions {
  readonly level: 'upload';
}

export interface ContentsOptions extends AnyLevelOptions {
  readonly level: 'contents';
}

export interface RestoreTestOptions extends AnyLevelOptions {
  readonly level: 'restore';
  /** Where it is restored. */
  readonly restoreTest: RestoreTest;
}

export interface BootTestOptions extends AnyLevelOptions {
  readonly level: 'boot';
  /** Where it is restored, and Odoo started on it: only a host of Odoo has that. */
  readonly restoreTest: Extract<RestoreTest, { readonly kind: 'host' }>;
  /** Units of systemd that run Odoo: they show where its program is, if it is not on the path. */
  readonly units: readonly string[];
  /** Shell command that starts it; undefined: the program of the Odoo in use. */
  readonly start: string | undefined;
  /** How long Odoo may take to answer. */
  readonly timeoutMs: number;
}
