import { type Decoded, flag, object } from '../util/decode.ts';
import { catalogName } from './rows.ts';
import { queryRows } from './run-sql.ts';
import type { Postgres } from './server.ts';
import { MAINTENANCE_DATABASE, sql } from './sql.ts';

const decodeSlot = object({
  name: catalogName,
  /** Somebody reads from it now. */
  active: flag,
});

/**
 * A logical replication slot. It belongs to one database, is renamed with it, and goes with it when that is dropped.
 */
export interface LogicalSlot extends Decoded<typeof decodeSlot> {}

/** The logical replication slots of a database. */
export const logicalSlots = (postgres: Postgres, database: string): Promise<LogicalSlot[]> =>
  queryRows(
    postgres,
    MAINTENANCE_DATABASE,
    decodeSlot,
    sql`SELECT slot_name AS name, active FROM pg_catalog.pg_replication_slots
         WHERE slot_type = 'logical' AND database = ${database} ORDER BY 1`,
  );
