import type { FileList } from '../odoo/file-list.ts';
import type { BitSet } from '../util/bit-set.ts';

/** Files that were on disk just after the snapshot. */
export interface HostFiles {
  readonly list: FileList;
  /** Numbers of those that an attachment names. */
  readonly referenced: BitSet;
}
