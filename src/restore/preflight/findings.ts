import type { OwnedFolder } from '../../host/owned-folder.ts';
import type { OdooProgram } from '../../odoo/program.ts';
import type { Difference } from '../../odoo/staging.ts';
import type { AdminGrants } from '../../postgres/admin-grants.ts';
import type { SessionGroup } from '../../postgres/databases.ts';
import type { LoadingWay } from '../../postgres/loading-way.ts';
import type { LogicalSlot } from '../../postgres/replication-slots.ts';
import type { Postgres } from '../../postgres/server.ts';
import type { DatabaseTraits, Extension } from '../../postgres/traits.ts';
import type { CodeFinding } from '../code.ts';
import type { Losses } from '../losses.ts';
import type { GivenSince } from '../numbers.ts';
import type { Problem } from '../problem.ts';
import type { Space } from '../space.ts';
import type { Unloadable } from '../toc-checks.ts';

/** What the read-only checks of a restore have found. */
export interface Findings extends Space {
  readonly problems: readonly Problem[];
  /** What was checked and is as it has to be: one thought each. */
  readonly passed: readonly string[];
  /** What is worth knowing before the restore begins. */
  readonly warnings: readonly string[];
  /** Owner of the new database. */
  readonly owner: string;
  readonly traits: DatabaseTraits;
  readonly extensions: readonly Extension[];
  /** Whether its tables keep the owners and grants of the backup. */
  readonly keepOwnership: boolean;
  /** How the dump can be loaded, the best first: the run takes the first for which there is still room. */
  readonly ways: readonly LoadingWay[];
  /** What only a superuser may make, and what a copy is made without. */
  readonly withoutObjects: Unloadable;
  /** Slots of logical replication that go with the database which is replaced. */
  readonly slots: readonly LogicalSlot[];
  /** The login that loads the dump, and does what else is done among its content; with a pg_restore that reads it. */
  readonly loader: Postgres;
  /** What an admin has given to the database that is replaced. */
  readonly given: AdminGrants;
  /** What only the admin role may do, and does: one action a line. Empty where the loader does everything. */
  readonly adminActions: readonly string[];
  /** undefined: the filestore is left alone. */
  readonly difference: Difference | undefined;
  /** The filestore of the database that was backed up, where a copy is made beside it; undefined: there is none. */
  readonly neighbour: OwnedFolder | undefined;
  /** Sessions that are connected to what would be replaced. */
  readonly sessions: readonly SessionGroup[];
  readonly databaseBytes: number;
  /** Whether Odoo has to stop for the swap. */
  readonly stops: boolean;
  /** The units that run; undefined: this cannot be determined. */
  readonly running: readonly string[] | undefined;
  /** What the health check says before anything is done; undefined: it was not asked. */
  readonly answer: string | undefined;
  /** For `neutralize`; undefined: the host has none, or it is not needed. */
  readonly program: OdooProgram | undefined;
  /** What was entered since the backup; undefined: nothing that there is would be lost. */
  readonly losses: Losses | undefined;
  /** Sequences that gave out numbers since the backup; undefined: they are left alone. */
  readonly givenSince: GivenSince | undefined;
  /** How the code stands to the backup's; undefined: it is left alone. */
  readonly code: CodeFinding | undefined;
}

/** `odoo (odoo-1234)` */
export const sessionName = ({ role, application }: SessionGroup): string =>
  application === '' ? role : `${role} (${application})`;

/** What the new filestore takes on the disk: hard links take nothing. */
export const filestoreBytes = (difference: Difference | undefined): number =>
  (difference?.missing.bytes ?? 0) + (difference?.copied.bytes ?? 0);
