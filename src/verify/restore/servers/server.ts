import type { HostTools } from '../../../host/tools.ts';
import type { AlsoAllowed } from '../../../postgres/extensions/allowlist.ts';
import type { Postgres } from '../../../postgres/server.ts';

/** Where a dump is restored for a test. */
export interface TestServer extends AsyncDisposable {
  /** For people: `the runner`, `deploy@203.0.113.5:22`, `postgis:5432`. */
  readonly label: string;
  /** Creates and drops the scratch database, and extensions that the other may not create. */
  readonly admin: Postgres;
  /** Owns the scratch database and loads the dump: a dump is code. */
  readonly app: Postgres;
  readonly owner: string;
  /** Extensions that `admin` may create beyond the fixed list. */
  readonly also: AlsoAllowed;
  /** Tools of the machine that runs pg_restore. */
  readonly tools: HostTools;
  /** Sessions that load at once. */
  readonly jobs: number;
  /**
   * Does something for as long as that leaves room to what others have on the server; its signal ends it. Undefined: it
   * is nobody's, or its disks are not known.
   */
  readonly whileSpaceLasts?: <T>(
    signal: AbortSignal,
    body: (signal: AbortSignal) => Promise<T>,
  ) => Promise<T>;
}
