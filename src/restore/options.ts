import type { CatalogOptions } from '../catalog/keys.ts';
import type { TrustedSigners } from '../catalog/signatures.ts';
import type { OdooAccess } from '../odoo/access.ts';
import type { CodeCommand } from '../odoo/code/switch-code.ts';
import type { Identities } from '../sealing/identities.ts';

/** What rollback and restore have in common. */
export interface PutBackOptions extends OdooAccess {
  readonly s3: CatalogOptions;
  /** `latest`, a key, an `s3://` URI, or the time of a key. */
  readonly backup: string;
  readonly allowUnverified: boolean;
  /** Whose backups are taken; undefined: anybody's. */
  readonly signers: TrustedSigners;
  /** What opens a sealed backup. */
  readonly identities: Identities | undefined;
  /** Check everything, print the plan, change nothing. */
  readonly dryRun: boolean;
  /** What runs Odoo; undefined: nothing has to stop. */
  readonly services: ServiceChoice | undefined;
  readonly health: HealthOptions;
  /** undefined: a copy is made, and the code is left alone. */
  readonly code: CodeOptions | undefined;
  /** No number that was given out since the backup is given out again. */
  readonly keepSequences: boolean;
  /** What was entered since the backup is stored beside the archive. */
  readonly salvage: boolean;
  /** Age recipients whom that is sealed for; undefined: nobody. */
  readonly encryptTo: readonly string[] | undefined;
  readonly keepPrevious: KeepPrevious;
  /** Logical replication slots may go with the database that is replaced. */
  readonly dropSlots: boolean;
  /** Jobs of pg_restore; undefined: as many as the host has cores. */
  readonly jobs: number | undefined;
  /** The role that creates databases and extensions, where Odoo's own may not. */
  readonly dbAdminUser: string | undefined;
}

/** What becomes of the code, where it is not the one that the backup was made with. */
export interface CodeOptions {
  /** What switches it; undefined: it stays as it is. */
  readonly command: CodeCommand | undefined;
  /** Nothing is put back under other code. */
  readonly requireSame: boolean;
}

/** When a restored Odoo counts as well. */
export interface HealthOptions {
  /** undefined: Odoo's own pages, on its own port. */
  readonly url: string | undefined;
  /** The machine that asks for `url`. */
  readonly from: 'host' | 'runner';
  readonly timeoutMs: number;
}

/** systemd units or Compose services, in the order in which they stop, or a pair of shell commands. */
export type ServiceChoice =
  | { readonly kind: 'units'; readonly units: readonly string[] }
  | { readonly kind: 'commands'; readonly stop: string; readonly start: string };

/** What becomes of the database and filestore that were replaced; a number: they are kept for so many days. */
export type KeepPrevious = 'until-healthy' | 'always' | number;
