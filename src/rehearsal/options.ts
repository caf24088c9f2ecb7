import type { OdooAccess } from '../odoo/access.ts';
import type { PutBackOptions } from '../restore/options.ts';
import type { TargetOptions } from '../restore/target.ts';
import type { DataCheck } from './checks.ts';

/** What makes a rehearsal fail. `failure`: only what does not work; `error`: errors in Odoo's log too; `warning`: any. */
export type FailOn = 'failure' | 'error' | 'warning';

/** What is rehearsed. */
export interface RehearsalOptions {
  /** Shell command of the migration; undefined: the code is the same, and Odoo is only started. */
  readonly command: string | undefined;
  /** The account of the host that runs it, and Odoo; undefined: that of Odoo. */
  readonly user: string | undefined;
  /** Shell command that starts Odoo; undefined: the program of the Odoo in use. */
  readonly start: string | undefined;
  /** In Compose: the image that all of it runs in; undefined: that of the Odoo in use. */
  readonly image: string | undefined;
  readonly checks: readonly DataCheck[];
  readonly failOn: FailOn;
}

/** All that a rehearsal needs to know. */
export interface RehearseOptions
  extends TargetOptions,
    Pick<
      PutBackOptions,
      'ssh' | 'sudo' | 'compose' | 's3' | 'backup' | 'allowUnverified' | 'signers' | 'identities' | 'dryRun'
    > {
  readonly skipTables: readonly string[];
  readonly rehearsal: RehearsalOptions;
}

/** The checks of a rehearsal alone, on the database in use. */
export interface LiveCheckOptions extends OdooAccess {
  readonly checks: readonly DataCheck[];
  /** Time limit of the whole run, and so of each statement. */
  readonly timeoutMs: number;
}
