import type { SqlFile } from '../odoo/after-load.ts';
import { holderOf, type Platform } from '../platform/platform.ts';
import type { CodeOptions, KeepPrevious, PutBackOptions } from './options.ts';

/** What a restore is asked to do. */
export interface Request {
  /** `rollback, run 123 of acme/odoo`: who holds the lock. */
  readonly purpose: string;
  /** Database that the backup has to be of; undefined: the input `backup` decides. */
  readonly source: string | undefined;
  /** A rollback: the same host and database, as it was. */
  readonly inPlace: boolean;
  /** A target that is there already may be replaced. */
  readonly replace: boolean;
  /** The copy keeps a name of its own, for the time of a run: nothing is replaced. */
  readonly beside?: true;
  readonly neutralize: boolean;
  readonly newUuid: boolean;
  /** Files of SQL that are run in a copy before it takes its name. */
  readonly afterLoad: readonly SqlFile[];
  /** Tables that a copy is made without the rows of. */
  readonly skipTables: readonly string[];
  /** No number that was given out since the backup is given out again. */
  readonly keepSequences: boolean;
  /** What was entered since the backup is stored beside the archive. */
  readonly salvage: boolean;
  /** Whom it is sealed for; undefined: nobody. */
  readonly encryptTo: readonly string[] | undefined;
  readonly keepPrevious: KeepPrevious;
  /** Logical replication slots may go with the database that is replaced. */
  readonly dropSlots: boolean;
  readonly dryRun: boolean;
  /** undefined: the code is left alone, as for a copy. */
  readonly code: CodeOptions | undefined;
}

/** What a command asks for beside its inputs. */
export type Wish = Pick<
  Request,
  'source' | 'inPlace' | 'replace' | 'neutralize' | 'newUuid' | 'afterLoad' | 'skipTables'
>;

/** What a rollback asks for. @param database undefined: the one of odoo.conf */
export const ofRollback = (database: string | undefined): Wish => ({
  source: database,
  inPlace: true,
  replace: true,
  neutralize: false,
  newUuid: false,
  afterLoad: [],
  skipTables: [],
});

/** The request of a command with these inputs. */
export const requestOf = (inputs: PutBackOptions, asked: Wish, platform: Platform): Request => ({
  ...asked,
  purpose: holderOf(asked.inPlace ? 'rollback' : 'restore', platform.run),
  dryRun: inputs.dryRun,
  keepPrevious: inputs.keepPrevious,
  dropSlots: inputs.dropSlots,
  code: inputs.code,
  keepSequences: inputs.keepSequences,
  salvage: inputs.salvage,
  encryptTo: inputs.encryptTo,
});
