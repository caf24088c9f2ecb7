import type { RangeReader } from '../../archive/ranges.ts';
import type { UnitCheck } from '../../archive/units.ts';
import type { SealedBackup } from '../../backup-reader/seal.ts';
import type { Identities } from '../../sealing/identities.ts';
import type { Conversion } from './pg-restore.ts';

/** What a look at the contents works with. */
export interface Look extends Conversion {
  readonly reader: RangeReader;
  /** For messages. */
  readonly uri: string;
  readonly sealed: SealedBackup;
  readonly identities: Identities | undefined;
  /** Compares what was read with what was written. */
  readonly units: UnitCheck;
  /** To be told every byte, in their order. */
  readonly seen: (bytes: Buffer) => void;
}
