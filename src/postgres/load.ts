import { CARRIED_TEXT, carrying } from '../host/carried-text.ts';
import { decoding, inwardCodec, packed } from '../host/codecs.ts';
import { feed, printedBy } from '../host/feed.ts';
import { type Command, CommandError } from '../host/host.ts';
import { run } from '../host/run.ts';
import { sayingEnd } from '../host/stderr-tail.ts';
import { TempFolder } from '../host/temp-folder.ts';
import type { HostTools } from '../host/tools.ts';
import { UserError } from '../util/errors.ts';
import { formatBytes } from '../util/format.ts';
import { only } from '../util/iterables.ts';
import type { ExtensionMember } from './extensions/members.ts';
import { type FetchedDump, fetchDump, readList } from './fetched-dump.ts';
import { knowsRestrict, restricted } from './foreign-sql.ts';
import { loadFailure } from './load-errors.ts';
import type { Dump, DumpBytes, EntryFilter } from './loadable-dump.ts';
import { type LoadingWay, waysToLoad } from './loading-way.ts';
import { failedEntry } from './pg-restore-errors.ts';
import { inUtf8, PSQL_OPTIONS } from './psql.ts';
import type { Postgres } from './server.ts';
import { withSettings } from './settings.ts';
import { conninfo } from './sql.ts';
import { SqlError } from './sql-error.ts';
import { statementFilter } from './statement-filter.ts';
import { type FilteredToc, filterToc, hasRows, numbersOf, splitAtRows, splitToc } from './toc-filter.ts';

export interface LoadOptions {
  readonly tools: HostTools;
  /** Sessions that load at once, apart from rows that are loaded as they arrive. */
  readonly jobs: number;
  /** Made ahead of the dump, by `createExtensions`. */
  readonly schemas: readonly string[];
  readonly members?: readonly ExtensionMember[];
  /**
   * Makes SQL safe for psql, as `open` of a plain dump does. With it, what pg_restore is refused is given to psql once
   * more, which says the SQLSTATE. Without it, that stays unknown.
   */
  readonly asPlain?: (sql: AsyncIterable<Buffer>, passage: EntryFilter) => AsyncIterable<Buffer>;
  /**
   * Lines of the table of contents that are left out. If there are any, a plain dump is loaded without such objects.
   */
  readonly without?: readonly string[];
  readonly withoutSuperusers?: boolean;
  /** false: everything belongs to the role that loads, and nobody else may use it. */
  readonly keepOwnership: boolean;
  /** The role that everything is to belong to, where that is not the one that logs in, which is its member. */
  readonly role?: string;
  /** The dump is on its way to the host already. Default: it is brought there in the best way for which that has room. */
  readonly file?: Promise<FetchedDump | undefined>;
  readonly signal?: AbortSignal;
}

export interface Loaded {
  readonly seconds: number;
  readonly way: LoadingWay;
  /** Lines of the dump's table of contents that were left out, as pg_restore prints them. */
  readonly skipped: readonly string[];
  /** Tables that plain SQL makes and has no rows for, not even none. Absent: another dump. */
  readonly withoutRows?: readonly string[];
}

/**
 * Loads a dump into an empty database, in one of the ways of `waysToLoad`.
 *
 * What is in a dump runs with the rights of the role that is logged in: `ownerLogin` finds the right one.
 *
 * @throws UserError when the dump does not load: an error of pg_restore is an error, whatever it is about
 * @throws what the dump's bytes fail with
 */
export async function loadDump(
  postgres: Postgres,
  database: string,
  dump: Dump,
  options: LoadOptions,
): Promise<Loaded> {
  const started = performance.now();
  const loader = new Loader(postgres, database, options);
  try {
    const done = await loader.load(dump);
    return { ...done, seconds: (performance.now() - started) / 1000 };
  } catch (error) {
    if (error instanceof SqlError) {
      throw loadFailure(error, database, { sqlState: error.sqlState, at: error.statement?.slice(0, 200) });
    }
    throw error instanceof CommandError ? loadFailure(error, database) : error;
  }
}

/** psql says the SQLSTATE of an error, and which statement it was. */
const SAYING_WHY = ['-v', 'VERBOSITY=verbose', '-v', 'ECHO=errors'];

type LoadedDump = Omit<Loaded, 'seconds'>;

/** The same end, as that of the program itself: its shell is nobody's business. */
const ofCommand = (error: unknown, command: Command): unknown =>
  error instanceof CommandError ? new CommandError(command, error.exit) : error;

async function* behind(list: string, dump: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield Buffer.from(list);
  yield* dump;
}

/** One dump, one database. */
class Loader {
  readonly #postgres: Postgres;
  readonly #database: string;
  readonly #options: LoadOptions;

  constructor(postgres: Postgres, database: string, options: LoadOptions) {
    this.#postgres = postgres;
    this.#database = database;
    this.#options = options;
  }

  async load(dump: Dump): Promise<LoadedDump> {
    if (dump.kind === 'plain') return this.#plain(dump);
    const { host } = this.#postgres;
    const file = await (this.#options.file ?? this.#fetch(dump));
    if (file) {
      try {
        return await (file.arriving && dump.kind === 'custom'
          ? this.#arriving(file, file.arriving, dump)
          : this.#fromFile(file));
      } finally {
        // Nobody waits for its removal. The host ends no sooner than what removes it.
        Promise.resolve(file[Symbol.asyncDispose]()).catch(() => {});
      }
    }
    if (dump.kind === 'custom') return this.#streamed(dump);
    throw new UserError(
      `There is no room on ${host.label} for the dump: neither /tmp nor /var/tmp has the ${formatBytes(dump.size)}`,
      'A dump in directory format has to lie on the host to be loaded. Free space, or choose another backup.',
    );
  }

  async #fetch(dump: Exclude<Dump, { kind: 'plain' }>): Promise<FetchedDump | undefined> {
    const ways = waysToLoad(dump, this.#options.jobs, await readList(dump));
    return fetchDump(this.#postgres, dump, ways, this.#options);
  }

  async #fromFile({ folder, path, toc: contents }: FetchedDump): Promise<LoadedDump> {
    const { jobs } = this.#options;
    const toc = this.#filter(contents);
    const { ahead, rest } = splitToc(toc.list);
    const load = (...args: string[]) => this.#guarded(args, toc, { folder, path });
    if (ahead !== undefined) await load(await this.#writeList('ahead', ahead, folder));
    const whole = ahead === undefined && toc.skipped.length === 0;
    await load(`--jobs=${jobs}`, ...(whole ? [] : [await this.#writeList('list', rest, folder)]));
    return { way: 'file', skipped: toc.skipped };
  }

  /**
   * Only rows need more of a dump than its table of contents. So one session loads everything up to the last rows while
   * the bytes arrive, and several sessions make the rest from the table of contents. Where rows have to come first that
   * lie among others, all bytes come once more for them.
   */
  async #arriving(
    { folder, path, toc: contents }: FetchedDump,
    bytes: AsyncIterable<Buffer>,
    dump: DumpBytes,
  ): Promise<LoadedDump> {
    const { host } = this.#postgres;
    const { jobs, signal, tools } = this.#options;
    const toc = this.#filter(contents);
    const { ahead, rest } = splitToc(toc.list);
    const { upToRows, behind } = splitAtRows(rest);
    const [aheadList, rowsList, behindList] = await Promise.all([
      ahead === undefined ? undefined : this.#writeList('ahead', ahead, folder),
      this.#writeList('rows', upToRows, folder),
      this.#writeList('behind', behind, folder),
    ]);
    const codec = inwardCodec(tools);
    const load = async (list: string, from: AsyncIterable<Buffer>) => {
      const restore = this.#restore([list]);
      try {
        await feed(host, decoding(sayingEnd(restore), codec), packed(from, codec), signal);
      } catch (error) {
        const again = (at: string) => (hasRows(at) ? { bytes: dump.open() } : { path });
        throw await this.#explained(ofCommand(error, restore), toc.list, folder, again);
      }
    };
    if (aheadList !== undefined) await load(aheadList, dump.open());
    await load(rowsList, bytes);
    await this.#guarded([`--jobs=${jobs}`, behindList], toc, { folder, path });
    return { way: 'arriving', skipped: toc.skipped };
  }

  /** Lets pg_restore load from a file. */
  async #guarded(
    args: readonly string[],
    { list }: FilteredToc,
    { folder, path }: Pick<FetchedDump, 'folder' | 'path'>,
  ): Promise<void> {
    const restore = this.#restore([...args, path]);
    const { signal } = this.#options;
    try {
      await run(this.#postgres.host, { ...sayingEnd(restore), guarded: true }, { signal });
    } catch (error) {
      throw await this.#explained(ofCommand(error, restore), list, folder, () => ({ path }));
    }
  }

  /**
   * The table of contents is at the start: pg_restore reads that far, then all of it comes once more. The host may have no
   * place for a list of what is loaded, so that comes ahead of the dump.
   */
  async #streamed(dump: DumpBytes): Promise<LoadedDump> {
    const { host, account } = this.#postgres;
    const { signal, tools } = this.#options;
    const toc = this.#filter(await feed(host, this.#postgres.reading(['--list']), dump.open(), signal));
    const list = toc.skipped.length > 0 ? numbersOf(toc.list) : undefined;
    const restore = this.#restore(list === undefined ? [] : [`--use-list=${CARRIED_TEXT}`]);
    const command = list === undefined ? restore : carrying(restore, list);
    const bytes = list === undefined ? dump.open() : behind(list, dump.open());
    const codec = inwardCodec(tools);
    try {
      await feed(host, decoding(sayingEnd(command), codec), packed(bytes, codec), signal);
    } catch (error) {
      await using place = await TempFolder.make(host, account, 1024 ** 2);
      throw await this.#explained(ofCommand(error, restore), toc.list, place, () => ({ bytes: dump.open() }));
    }
    return { way: 'stream', skipped: toc.skipped };
  }

  /**
   * Not in a single transaction: that would hold a lock on each of Odoo's thousands of tables and indexes, more than
   * `max_locks_per_transaction` allows for. A database that was loaded by half is dropped anyway.
   */
  async #plain(dump: Extract<Dump, { kind: 'plain' }>): Promise<LoadedDump> {
    const { host, version } = this.#postgres;
    const { tools, signal, schemas, members, keepOwnership, withoutSuperusers } = this.#options;
    const skipped: string[] = [];
    const superuser = this.#postgres.isSuperuser;
    const rights = { superuser, schemas, members, keepOwnership, version, withoutSuperusers };
    const isRestricted = await knowsRestrict(this.#postgres, this.#database);
    const leavesOut = statementFilter(rights, (statement) => skipped.push(statement));
    let withoutRows: readonly string[] = [];
    const tellRowless = (tables: readonly string[]) => {
      withoutRows = tables;
    };
    const sql = dump.open({ leavesOut, restricted: isRestricted, withoutRows: tellRowless });
    const codec = inwardCodec(tools);
    const psql = this.#command('psql', [...PSQL_OPTIONS, ...SAYING_WHY, '--output=/dev/null', '--file=-']);
    // Whatever the role or the account has set: pg_dump names the encoding of its dumps.
    const source = isRestricted ? restricted(sql) : sql;
    try {
      await feed(host, decoding(inUtf8(psql), codec), packed(source, codec), signal);
    } catch (error) {
      throw error instanceof CommandError ? new SqlError(psql, error.exit) : error;
    }
    return { way: 'stream', skipped, withoutRows };
  }

  /**
   * pg_restore gives the server's words in the server's language, and no SQLSTATE. So the entry at which it stopped is
   * given to psql once more, which says it; what was only an accident does not happen again, and stays without. Rows that
   * have gone by are fetched once more for that, up to the error: no setting makes libpq say the SQLSTATE to pg_restore's
   * user, and the server's log may not be read.
   *
   * @param folder for a file; undefined: the host has no place for one
   * @param dump gives for an entry the path of the dump on the host, or its bytes
   */
  async #explained(
    error: unknown,
    list: string,
    folder: TempFolder | undefined,
    dump: (at: string) => { readonly path: string } | { readonly bytes: AsyncIterable<Buffer> },
  ): Promise<unknown> {
    const { signal, asPlain } = this.#options;
    if (!(error instanceof CommandError) || error.exit.signal !== undefined) return error;
    const at = failedEntry(error.exit.stderr, list);
    if (at === undefined || !folder || !asPlain) return loadFailure(error, this.#database, { at });
    const args = [await this.#writeList('failed', `${at}\n`, folder), ...this.#ownership, '--file=-'];
    const from = dump(at);
    const bytes = 'bytes' in from ? from.bytes : undefined;
    const printed = this.#postgres.reading('path' in from ? [...args, from.path] : args);
    const open = (passage: EntryFilter) => asPlain(printedBy(folder.host, printed, bytes), passage);
    try {
      await this.#plain({ kind: 'plain', size: 0, open });
    } catch (again) {
      signal?.throwIfAborted();
      const sqlState = again instanceof SqlError ? again.sqlState : undefined;
      return loadFailure(error, this.#database, { at, sqlState });
    }
    return loadFailure(error, this.#database, { at });
  }

  #restore(args: readonly string[]): ReturnType<Postgres['command']> {
    // Verbose: else it does not say at which entry it stops.
    const options = ['--verbose', '--exit-on-error', '--no-password', `--dbname=${conninfo(this.#database)}`];
    return this.#command('pg_restore', [...options, ...this.#ownership, ...args]);
  }

  get #ownership(): readonly string[] {
    return this.#options.keepOwnership ? [] : ['--no-owner', '--no-privileges'];
  }

  #command(program: string, args: readonly string[]): ReturnType<Postgres['command']> {
    const { role } = this.#options;
    return withSettings(
      this.#postgres.command(program, args, this.#database),
      role === undefined ? {} : { role },
    );
  }

  #filter(toc: string): FilteredToc {
    const { schemas, members, without } = this.#options;
    return filterToc(toc, { superuser: this.#postgres.isSuperuser, schemas, members, without });
  }

  /** @returns the option that makes pg_restore use it */
  async #writeList(name: string, list: string, folder: TempFolder): Promise<string> {
    return `--use-list=${await folder.write(name, only(Buffer.from(list)), this.#options)}`;
  }
}
