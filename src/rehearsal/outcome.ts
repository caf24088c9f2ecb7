import type { LogEntry, OdooLog } from '../odoo/boot/odoo-log.ts';
import type { Overwritten } from '../odoo/shared-files.ts';
import type { CheckResult } from './checks.ts';

/** A part of a rehearsal in which a program of Odoo has run. */
export interface OdooPart {
  readonly seconds: number;
  readonly warnings: number;
  /** Messages of the levels ERROR and CRITICAL. */
  readonly errors: number;
  /** The first of them. */
  readonly entries: readonly LogEntry[];
}

/** What a rehearsal has found: grows while its steps run. */
export class Experience {
  /** undefined: there was no command, or it did not come to its end. */
  migration: OdooPart | undefined;
  boot: (OdooPart & { readonly answer: string }) | undefined;
  readonly checks: CheckResult[] = [];
  /** Files of the filestore in use that were changed through the copy. */
  overwritten: Overwritten = { count: 0, names: [] };
  /** The last lines of the program that has failed. */
  lastWords: readonly string[] = [];

  /** What both programs of Odoo have logged. */
  get warnings(): number {
    return (this.migration?.warnings ?? 0) + (this.boot?.warnings ?? 0);
  }

  get errors(): number {
    return (this.migration?.errors ?? 0) + (this.boot?.errors ?? 0);
  }
}

export const partOf = ({ warnings, errors, entries }: OdooLog, startedAt: number): OdooPart => ({
  seconds: (performance.now() - startedAt) / 1000,
  warnings,
  errors,
  entries,
});
