import type { Phases } from './phases.ts';
import type { Platform } from './platform.ts';

/** What a command, and everything that it calls, needs while it runs. */
export interface Run {
  readonly platform: Platform;
  readonly phases: Phases;
  /** Aborted when the run is to end, and to clean up. */
  readonly signal: AbortSignal;
}
