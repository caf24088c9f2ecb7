import { databaseOids } from '../postgres/databases.ts';
import { HeldLockError, type Lock } from '../postgres/lock.ts';
import type { Postgres } from '../postgres/server.ts';
import { UserError } from '../util/errors.ts';

/** Another run is at work on what this one would take back, or has replaced it: it is not this one's any more. */
export class OvertakenError extends UserError {}

/** What a run looks after. */
interface Owned {
  readonly admin: Postgres;
  readonly database: string;
  readonly lock: Lock;
}

/**
 * Whether a database is still as a run has left it. A run that loses its connection loses its lock with that, and may
 * notice long after another one has begun: then nothing of what that one has made may be taken back.
 */
export class Ownership {
  readonly #owned: Owned;
  /** OIDs of the databases that were there before, and of the one that this run has built. */
  readonly #known: Set<string>;

  private constructor(owned: Owned, known: readonly string[]) {
    this.#owned = owned;
    this.#known = new Set(known);
  }

  /** Looks at what is there, before anything is changed. */
  static async of(owned: Owned): Promise<Ownership> {
    return new Ownership(owned, await databaseOids(owned.admin));
  }

  /** To be told of what is about to get the name. @param built name of the database */
  async add(built: string): Promise<void> {
    for (const oid of await databaseOids(this.#owned.admin, built)) this.#known.add(oid);
  }

  /**
   * Takes the lock again, where it was lost.
   *
   * @throws OvertakenError when another restore has it, or another one has had it and has replaced the database
   */
  async assert(): Promise<void> {
    const { admin, database, lock } = this.#owned;
    if (!(await regained(lock))) return;
    const [oid] = await databaseOids(admin, database);
    if (oid === undefined || this.#known.has(oid)) return;
    throw new OvertakenError(
      `another run has replaced ${database} meanwhile`,
      'What this run had begun, that one has cleaned up. Look at how it has ended, and whether Odoo runs.',
    );
  }
}

/** @returns whether the lock was lost */
async function regained(lock: Lock): Promise<boolean> {
  try {
    return await lock.regain();
  } catch (error) {
    if (!(error instanceof HeldLockError)) throw error;
    // A backup changes nothing, and may take hours: Odoo does not stay stopped for as long.
    if (error.holder === undefined || /^backup\b/.test(error.holder)) return true;
    throw new OvertakenError(
      error.message,
      'That run cleans up what this one had begun. Look at how it ends, and whether Odoo runs then.',
      { cause: error },
    );
  }
}
