import type { CatalogOptions } from '../catalog/keys.ts';
import type { Format } from '../catalog/receipt.ts';
import type { SigningOptions } from '../catalog/signing-key.ts';
import type { OdooAccess } from '../odoo/access.ts';
import type { CountedTables } from '../postgres/table-counts.ts';
import type { ProofOptions } from '../verify/options.ts';

/** What a backup is asked to be. */
export interface BackupOptions extends OdooAccess {
  readonly s3: CatalogOptions;
  readonly format: Format;
  /** Parallel connections of one dump, where its format allows. */
  readonly jobs: number;
  /** `auto`: the fastest that both ends have; else a level, where 0 does not compress. */
  readonly compression: 'auto' | number;
  /** What becomes of a backup whose attachments are not all on the host. */
  readonly missingFiles: 'warn' | 'fail';
  /** Tables whose rows are counted, so that restores can be compared with them. */
  readonly countTables: CountedTables;
  /** Whether S3 copies what an earlier archive holds; else everything is sent. */
  readonly incremental: boolean;
  /** Time after which everything is sent in spite of `incremental`. */
  readonly fullEveryMs: number;
  /** How far it is proven before the run ends. */
  readonly proof: ProofOptions;
  readonly signing: SigningOptions;
  /** The recipients that the backup is sealed for; undefined: it is not sealed. */
  readonly encryptTo: readonly string[] | undefined;
  /** Check everything and write nothing. */
  readonly dryRun: boolean;
}
