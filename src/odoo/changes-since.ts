import type { Snapshot } from '../postgres/snapshot.ts';
import { inChunks, join, list, qualified, type Sql, sql } from '../postgres/sql.ts';
import * as decode from '../util/decode.ts';
import { tablesPresent } from './database.ts';
import { isTechnical } from './technical-models.ts';

/** What was entered into an Odoo database since an instant, as far as it was found out in time. */
export interface ChangesSince {
  /** Models with records that were created or changed, the one with most of them first. */
  readonly models: readonly ModelChanges[];
  /** Technical records (messages, logs, views and the like) that were created or changed, all together. */
  readonly technical: number;
  /** Numbers that were given to documents, by kind of document. */
  readonly numbers: readonly GivenNumbers[];
  /** Logins of the people who created or changed records of `models`; undefined: there was no time to find out. */
  readonly logins: readonly string[] | undefined;
  /** Number of people who have logged in. */
  readonly visitors: number;
  /** Number of e-mails that were sent. */
  readonly mails: number;
  /** When the last record of `models` was created or changed; undefined: none was. */
  readonly lastAt: Date | undefined;
  /** Names of models of which only the newest records were looked at, or none: their tables are large, or locked. */
  readonly unseen: readonly string[];
  /** Those of them of which nothing was looked at. */
  readonly unread: readonly string[];
}

export interface ModelChanges {
  /** `res.partner` */
  readonly model: string;
  /** Odoo's English name of it: `Contact`. */
  readonly label: string;
  readonly created: number;
  /** Number of records that were there before and were changed; undefined: it was not counted. */
  readonly changed: number | undefined;
  /** Number of records that were deleted; undefined: the backup does not say how many there were. */
  readonly deleted: number | undefined;
  /** true: more may have been created, for only the newest records were looked at. */
  readonly atLeast: boolean;
}

/** Numbers of documents that were given out, such as `INV/2026/00412`. */
export interface GivenNumbers {
  /** `customer invoices` */
  readonly kind: string;
  readonly count: number;
  readonly first: string;
  readonly last: string;
}

/** Length of a table, in bytes, up to which all of its rows are read. */
const SMALL_TABLE = 32 * 2 ** 20;
/** How many of the newest records of a larger table are read. */
const NEWEST = 10_000;
/** How many tables one query reads. */
const AT_ONCE = 40;

/** What is asked for: since when, and what the backup says. */
export interface Since {
  /** When the backup was made. */
  readonly instant: Date;
  /** Rows that tables had then, by their names, where they were counted. */
  readonly counts: Readonly<Record<string, number>>;
}

interface Model {
  readonly model: string;
  readonly label: string;
  readonly table: string;
  /** Size of the table, without its indexes. */
  readonly bytes: number;
  /** Whether Odoo numbers its records: they have a name, and there is a sequence for them. */
  readonly numbered: boolean;
  /** Whether somebody has locked it against reading, such as a migration. */
  readonly locked: boolean;
}

interface Counted {
  readonly model: string;
  readonly created: number;
  /** null: only the newest records were read. */
  readonly changed: number | null;
  /** Rows of the whole table; null as above. */
  readonly rows: number | null;
  readonly last: string | null;
  readonly users: readonly number[] | null;
  readonly first: string | null;
  readonly latest: string | null;
}

const name = decode.text('a name', 1000);

const model = decode.object<Model>({
  model: name,
  label: decode.sentence,
  table: name,
  bytes: decode.count,
  numbered: decode.flag,
  locked: decode.flag,
});

const counted = decode.object<Counted>({
  model: name,
  created: decode.count,
  changed: decode.nullable(decode.count),
  rows: decode.nullable(decode.count),
  last: decode.nullable(decode.instant),
  users: decode.nullable(decode.list(decode.count, 1000)),
  first: decode.nullable(decode.sentence),
  latest: decode.nullable(decode.sentence),
});

const given = decode.object<GivenNumbers>({
  kind: name,
  count: decode.count,
  first: decode.sentence,
  last: decode.sentence,
});

const login = decode.object<{ readonly login: string }>({ login: decode.sentence });
const amount = decode.object<{ readonly n: number }>({ n: decode.count });

/**
 * Finds out what was entered into the database since an instant. The small tables come first, and what is not read when
 * the snapshot ends is `unseen`: the snapshot's own limits bound the time.
 *
 * @param snapshot of the live database; its queries name tables, so not one with `onlyCopies`
 * @throws UserError when not even Odoo's list of models can be read
 */
export async function changesSince(snapshot: Snapshot, since: Since): Promise<ChangesSince> {
  const [models, present] = await Promise.all([
    snapshot.rows(model, MODELS),
    snapshot.lines(tablesPresent(['account_move', 'res_users_log', ...NOTIFICATIONS])),
  ]);
  const has = new Set(present);
  const notifications = NOTIFICATIONS.find((table) => has.has(table));
  const at = sql`timestamp ${since.instant.toISOString().slice(0, -1)}`;
  const readable = models.filter(({ locked }) => !locked);
  const small = readable.filter(({ bytes }) => bytes <= SMALL_TABLE);
  const large = readable.filter(({ bytes }) => bytes > SMALL_TABLE).sort((a, b) => a.bytes - b.bytes);
  const query = (some: readonly Model[], whole: boolean) =>
    snapshot.rows(
      counted,
      join(
        some.map((each) => countOf(each, at, whole)),
        sql` UNION ALL `,
      ),
    );
  const ifPossible = <T>(answer: Promise<readonly T[]>): Promise<readonly T[]> => answer.catch(() => []);
  // Asked in the order in which they matter: where the time ends, the last ones have no answer.
  const [smallOnes, newest, numbers] = await Promise.all([
    Promise.all(inChunks(small, AT_ONCE).map((some) => ifPossible(query(some, true)))),
    Promise.all(inChunks(large, AT_ONCE).map((some) => ifPossible(query(some, false)))),
    has.has('account_move') ? ifPossible(snapshot.rows(given, invoicesSince(at))) : [],
  ]);
  const known = new Map([...smallOnes, ...newest].flat().map((each) => [each.model, each]));
  const users = usersOf(known);
  const [logins, visitors, mails, largeOnes] = await Promise.all([
    loginsIfPossible(snapshot, users),
    has.has('res_users_log') ? ifPossible(snapshot.rows(amount, visitorsSince(at))) : [],
    notifications ? ifPossible(snapshot.rows(amount, mailsSince(at, notifications))) : [],
    Promise.all(large.map((each) => ifPossible(query([each], true)))),
  ]);
  const counts = new Map([...known, ...largeOnes.flat().map((each) => [each.model, each] as const)]);
  const others = await loginsIfPossible(
    snapshot,
    new Set([...usersOf(counts)].filter((user) => !users.has(user))),
  );
  return {
    ...summed(models, counts, since.counts),
    numbers: [...numbers, ...numbersOf(models, counts)],
    logins: logins && others && [...new Set([...logins, ...others])].sort(),
    visitors: visitors[0]?.n ?? 0,
    mails: mails[0]?.n ?? 0,
  };
}

/** Who created or changed what people enter, by number. */
function usersOf(counts: ReadonlyMap<string, Counted>): Set<number> {
  const users = [...counts].flatMap(([model, { users }]) => (isTechnical(model) ? [] : (users ?? [])));
  return new Set(users);
}

/** undefined: there was no time. */
async function loginsIfPossible(
  snapshot: Snapshot,
  users: ReadonlySet<number>,
): Promise<readonly string[] | undefined> {
  if (users.size === 0) return [];
  const some = [...users].slice(0, 1000);
  return snapshot.rows(login, loginsOf(some)).then(
    (rows) => rows.map(({ login }) => login),
    () => undefined,
  );
}

function summed(
  models: readonly Model[],
  counts: ReadonlyMap<string, Counted>,
  before: Since['counts'],
): Pick<ChangesSince, 'models' | 'technical' | 'unseen' | 'unread' | 'lastAt'> {
  const changes: ModelChanges[] = [];
  const unseen: string[] = [];
  const unread: string[] = [];
  let technical = 0;
  let last = '';
  for (const { model, label, table } of models) {
    const found = counts.get(model);
    if (isTechnical(model)) {
      technical += (found?.created ?? 0) + (found?.changed ?? 0);
      continue;
    }
    if (!found || found.changed === null) unseen.push(label);
    if (!found) unread.push(label);
    if (!found) continue;
    const { created, changed, rows } = found;
    const then = before[table];
    const deleted = then === undefined || rows === null ? undefined : Math.max(0, then - (rows - created));
    if (created > 0 || (changed ?? 0) > 0 || (deleted ?? 0) > 0) {
      const atLeast = changed === null && created >= NEWEST;
      changes.push({ model, label, created, changed: changed ?? undefined, deleted, atLeast });
    }
    if (found.last && found.last > last) last = found.last;
  }
  const size = ({ created, changed = 0, deleted = 0 }: ModelChanges): number => created + changed + deleted;
  return {
    models: changes.sort((a, b) => size(b) - size(a)),
    technical,
    unseen,
    unread,
    lastAt: last === '' ? undefined : new Date(last),
  };
}

/** Journal entries have numbers of their own: see `invoicesSince`. */
function numbersOf(models: readonly Model[], counts: ReadonlyMap<string, Counted>): GivenNumbers[] {
  return models.flatMap(({ model, label, numbered }) => {
    const found = counts.get(model);
    if (!numbered || model === 'account.move' || !found?.first || !found.latest) return [];
    return [{ kind: label, count: found.created, first: found.first, last: found.latest }];
  });
}

/** Columns that Odoo gives to the table of each model, unless its class says `_log_access = False`. */
const LOGGED = sql`ARRAY['id', 'create_date', 'write_date', 'create_uid', 'write_uid']`;

/**
 * Query: models that are kept, with their tables. Their sizes are those of the last VACUUM or ANALYZE: asking for
 * today's would wait for whoever has locked a table. The name is a text up to Odoo 15, then one in each language.
 */
const MODELS = sql`SELECT m.model, coalesce(to_jsonb(m.name) ->> 'en_US', to_jsonb(m.name) #>> '{}', m.model) AS label,
    c.relname AS table, greatest(c.relpages, 0) * 8192::bigint AS bytes,
    EXISTS (SELECT FROM public.ir_sequence s WHERE s.code = m.model OR s.code LIKE m.model || '.%')
      AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND attname = 'name'
        AND atttypid IN ('varchar'::regtype, 'text'::regtype)) AS numbered,
    EXISTS (SELECT FROM pg_locks l WHERE l.relation = c.oid AND l.mode = 'AccessExclusiveLock'
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS locked
  FROM public.ir_model m JOIN pg_class c ON c.relname = replace(m.model, '.', '_')
  WHERE m.transient IS NOT TRUE AND c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
    AND ${LOGGED} <@ ARRAY(SELECT attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT attisdropped)
  ORDER BY m.model`;

/** Query: what was created and changed in a table. @param whole else only its newest records are read */
function countOf({ model, table, numbered }: Model, at: Sql, whole: boolean): Sql {
  const from = qualified('public', table);
  const read = whole ? from : sql`(SELECT * FROM ${from} ORDER BY id DESC LIMIT ${NEWEST})`;
  const created = sql`FILTER (WHERE create_date > ${at})`;
  const numbers = sql`FILTER (WHERE create_date > ${at} AND name ~ '[0-9]')`;
  const nothing = sql`NULL::text`;
  return sql`SELECT ${model} AS model, count(*) ${created} AS created,
      ${whole ? sql`count(*) FILTER (WHERE write_date > ${at} AND (create_date <= ${at}) IS NOT FALSE)` : sql`NULL::bigint`} AS changed,
      ${whole ? sql`count(*)` : sql`NULL::bigint`} AS rows,
      to_char(max(greatest(create_date, write_date)) FILTER (WHERE write_date > ${at} OR create_date > ${at}),
        'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS last,
      (array_agg(DISTINCT coalesce(write_uid, create_uid))
        FILTER (WHERE (write_date > ${at} OR create_date > ${at}) AND coalesce(write_uid, create_uid) IS NOT NULL))[1 : 1000] AS users,
      ${numbered ? sql`(array_agg(name::text ORDER BY id) ${numbers})[1]` : nothing} AS first,
      ${numbered ? sql`(array_agg(name::text ORDER BY id DESC) ${numbers})[1]` : nothing} AS latest
    FROM ${read} t`;
}

/**
 * Query: numbers of journal entries, by their kind. The columns go by the row as JSON, for before Odoo 14 the kind is
 * the column `type`.
 */
const invoicesSince = (at: Sql): Sql => sql`SELECT CASE coalesce(kind, 'entry')
      WHEN 'out_invoice' THEN 'customer invoices' WHEN 'out_refund' THEN 'customer credit notes'
      WHEN 'in_invoice' THEN 'vendor bills' WHEN 'in_refund' THEN 'vendor credit notes'
      WHEN 'out_receipt' THEN 'sales receipts' WHEN 'in_receipt' THEN 'purchase receipts'
      ELSE 'journal entries' END AS kind,
    count(*) AS count, (array_agg(name ORDER BY id))[1] AS first, (array_agg(name ORDER BY id DESC))[1] AS last
  FROM (SELECT id, name::text AS name, coalesce(to_jsonb(m) ->> 'move_type', to_jsonb(m) ->> 'type') AS kind
      FROM (SELECT * FROM public.account_move ORDER BY id DESC LIMIT ${NEWEST}) m
     WHERE create_date > ${at} AND name ~ '[0-9]') numbered
  GROUP BY 1 ORDER BY 2 DESC`;

const visitorsSince = (at: Sql): Sql =>
  sql`SELECT count(DISTINCT create_uid) AS n FROM (SELECT * FROM public.res_users_log ORDER BY id DESC LIMIT ${NEWEST}) l
    WHERE create_date > ${at}`;

/** Where a message went: the table's name from Odoo 15 on, and before. */
const NOTIFICATIONS = ['mail_notification', 'mail_message_res_partner_needaction_rel'];

/** Query: messages that went to somebody by e-mail. */
const mailsSince = (at: Sql, notifications: string): Sql =>
  sql`SELECT count(DISTINCT m.id) AS n FROM (SELECT * FROM public.mail_message ORDER BY id DESC LIMIT ${NEWEST}) m
    JOIN ${qualified('public', notifications)} n ON n.mail_message_id = m.id
    WHERE m.create_date > ${at} AND n.notification_type = 'email' AND n.notification_status = 'sent'`;

const loginsOf = (users: readonly number[]): Sql =>
  sql`SELECT login FROM public.res_users WHERE id IN (${list(users)}) ORDER BY login`;
