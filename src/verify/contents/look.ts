import type { UnitCheck } from '../../archive/units.ts';
import type { SealableArchive } from '../../backup-reader/description.ts';
import type { Conversion } from './pg-restore.ts';

/** What a look at the contents works with. */
export interface Look extends Conversion, SealableArchive {
  /** For messages. */
  readonly uri: string;
  /** Compares what was read with what was written. */
  readonly units: UnitCheck;
  /** To be told every byte, in their order. */
  readonly seen: (bytes: Buffer) => void;
}
