import type { SudoPolicy } from '../host/accounts.ts';
import type { SshAccess } from '../host/ssh/connect.ts';
import type { ComposeSettings } from './compose/project.ts';
import type { OdooSettings } from './installation.ts';

/** How to reach the Odoo installation of a host, and where its parts are. */
export interface OdooAccess {
  readonly ssh: SshAccess;
  readonly sudo: SudoPolicy;
  readonly odoo: OdooSettings;
  /** null: nothing of it is in Docker Compose. */
  readonly compose: ComposeSettings | null;
}
