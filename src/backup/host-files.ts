import type { FileList } from '../odoo/file-list.ts';
import type { BitSet } from '../util/bit-set.ts';

/** Files that were on disk just after the snapshot. */
export interface HostFiles {
  readonly list: FileList;
  /** Numbers of those that an attachment names. */
  readonly referenced: BitSet;
}

/** Number of files from which their list and the archive's directory take most of the memory. */
const MANY_FILES = 250_000;

export const hasManyFiles = (list: FileList | undefined): boolean => (list?.length ?? 0) >= MANY_FILES;
