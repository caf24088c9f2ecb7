import { extensionsIn } from '../../backup-reader/dump-extensions.ts';
import type { RestoreSource } from '../../backup-reader/open.ts';
import { isSuperRole } from '../../postgres/owner-login.ts';
import { missingRoles } from '../../postgres/rights.ts';
import { longText } from '../../postgres/rows.ts';
import { queryRows } from '../../postgres/run-sql.ts';
import type { Postgres } from '../../postgres/server.ts';
import { Snapshot } from '../../postgres/snapshot.ts';
import { MAINTENANCE_DATABASE, sql } from '../../postgres/sql.ts';
import { type DatabaseTraits, databaseTraits, type Extension, extensionsNow } from '../../postgres/traits.ts';
import { object } from '../../util/decode.ts';
import type { Target } from '../target.ts';
import type { Attempt } from './attempt.ts';

/** In place, everything stays as it was; elsewhere, the role of that Odoo has to be able to use it. */
export async function ownerOf(
  { description }: RestoreSource,
  { current, postgres, admin, odooRole }: Target,
  inPlace: boolean,
): Promise<string> {
  if (!inPlace) {
    // A login that is a superuser makes copies for Odoo's role, not for itself.
    for (const name of [odooRole?.name, description?.postgres.owner]) {
      if (name === undefined || name === postgres.role) continue;
      if (!(await isSuperRole(admin, postgres.role))) break;
      const [missing] = await missingRoles(admin, [name]);
      if (missing === undefined && !(await isSuperRole(admin, name))) return name;
    }
    return postgres.role;
  }
  if (current) return current.owner;
  const before = description?.postgres.owner;
  if (before !== undefined) {
    const [missing] = await missingRoles(admin, [before]);
    if (missing === undefined) return before;
  }
  return postgres.role;
}

export async function traitsOf(
  { description }: RestoreSource,
  { current, database, postgres, admin }: Target,
): Promise<DatabaseTraits> {
  if (description) return description.postgres;
  if (current?.allowsConnections) {
    await using snapshot = await Snapshot.open(postgres, database);
    return await databaseTraits(snapshot);
  }
  // As odoo.service.db._create_empty_database.
  const [server] = await queryRows(
    admin,
    MAINTENANCE_DATABASE,
    object({ ctype: longText }),
    sql`SELECT datctype AS ctype FROM pg_database WHERE datname = 'template0'`,
  );
  return {
    owner: postgres.role,
    encoding: 'UTF8',
    collate: 'C',
    ctype: server?.ctype ?? 'C',
    localeProvider: 'libc',
    locale: null,
    privileges: [],
    settings: [],
  };
}

/** A backup that does not say it needs those that its dump makes, or else those of the database that it replaces. */
export async function extensionsOf(
  { description, dump }: RestoreSource,
  { current, database, postgres }: Target,
  loader: Promise<Postgres | undefined>,
  attempt: Attempt,
): Promise<readonly Extension[]> {
  if (description) return description.extensions;
  const fitting = await loader;
  if (!fitting) return [];
  const inDump = await attempt(() => extensionsIn(dump, fitting));
  if (inDump || !current?.allowsConnections) return inDump ?? [];
  return extensionsNow(postgres, database);
}

/** How many times as large as its compressed dump a database is, about. */
const GROWTH = 5;

/** Size of the new database in bytes, about. */
export function databaseBytesOf({ description, dump, receipt }: RestoreSource, { current }: Target): number {
  // A dump has about the size of its database where pg_dump has not compressed it.
  const growth = receipt?.format === 'dual' || (dump.kind === 'plain' && !dump.packed) ? 1 : GROWTH;
  return description?.databaseBytes ?? Math.max(current?.bytes ?? 0, dump.size * growth);
}
