import type { Command, Host } from './host.ts';

/** A host, together with the account that acts there. */
export interface Shell {
  readonly host: Host;
  /** The command for that account, and in its manner: umask, working folder. */
  command(argv: readonly string[]): Command;
}

/** A folder on a host, and the account that its content belongs to. */
export interface Folder extends Shell {
  readonly path: string;
}
