import type { IncomingFile } from '../host/tar-writer.ts';
import type { LeavesOut } from './statement-filter.ts';

/** A dump, wherever its bytes come from. Sizes are in bytes. */
export type Dump =
  | ({ readonly kind: 'custom' } & DumpBytes)
  | {
      readonly kind: 'plain';
      readonly size: number;
      /** The bytes have to be free of psql's meta-commands. */
      open(passage: EntryFilter): AsyncIterable<Buffer>;
    }
  /** The files of `pg_dump --format=directory`: `toc.dat`, `3456.dat.gz` and the like. */
  | {
      readonly kind: 'directory';
      readonly size: number;
      /** From the start, each time. */
      readFiles(): AsyncIterable<IncomingFile>;
    };

/** What is left out of plain SQL, and whether psql runs none of its own commands. */
export interface EntryFilter {
  readonly leavesOut: LeavesOut;
  readonly restricted: boolean;
  /** Is told at the end of a dump which of its tables have no rows in it, not even none. */
  readonly withoutRows?: (tables: readonly string[]) => void;
}

export interface DumpBytes {
  readonly size: number;
  /** From the start, each time. */
  open(): AsyncIterable<Buffer>;
}
