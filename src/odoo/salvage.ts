import type { Snapshot } from '../postgres/snapshot.ts';
import { identifier, join, list, qualified, type Sql, sql } from '../postgres/sql.ts';
import { count, type Decoder, flag, nullable, object, rawText } from '../util/decode.ts';
import { formatCounted } from '../util/format.ts';
import { changesSince, type ModelChanges } from './changes-since.ts';

/** The records of one model that were entered since a backup, as a file that Odoo's own import takes. */
export interface SalvagedModel extends Pick<ModelChanges, 'model' | 'label'> {
  readonly csv: string;
  readonly records: number;
  /** Number of cells that a spreadsheet would take for a formula: anybody may have typed it, also into a form of the website. */
  readonly formulas: number;
}

export interface Salvage {
  /** In the order in which they have to be imported: what others refer to comes first. */
  readonly models: readonly SalvagedModel[];
  /**
   * External ids for records of the backup that the others refer to: `ir.model.data`, to be imported before all.
   * undefined: they refer to none, and Odoo's import takes no file without rows.
   */
  readonly references: string | undefined;
  /** What could not be taken along, in words. */
  readonly leftOut: readonly string[];
}

/** The module of the external ids, as `__export__` is of those that Odoo's export gives. */
const MODULE = '__salvage__';
/** The most records of a model, and bytes of all files. */
const MOST_RECORDS = 50_000;
const MOST_BYTES = 96 * 1024 ** 2;
/** The most bytes of a record as JSON: psql's answers have no longer lines (host/records.ts). */
const LONGEST_RECORD = 2 ** 20;
/** The most links of one field: each is a few bytes of the answer, and many more in memory. */
const MOST_LINKS = 250_000;

interface Field {
  readonly model: string;
  readonly name: string;
  readonly type: string;
  readonly relation: string;
  readonly required: boolean;
  /** Table and columns of a many2many field. */
  readonly through: string | null;
  readonly own: string | null;
  readonly other: string | null;
  /** Whether the model's table has a column for it. */
  readonly column: boolean;
}

const word = rawText(500);
const decodeField = object<Field>({
  model: word,
  name: word,
  type: word,
  relation: word,
  required: flag,
  through: nullable(word),
  own: nullable(word),
  other: nullable(word),
  column: flag,
});

/** Types of fields that a file of CSV can hold. Attachments and images are files of the filestore that is kept. */
const PLAIN = [
  'char',
  'text',
  'html',
  'integer',
  'float',
  'monetary',
  'boolean',
  'date',
  'datetime',
  'selection',
];

/** Query: what a person could enter of these models. What Odoo computes and nobody may change, it computes again. */
const fieldsOf = (models: readonly string[]): Sql => sql`SELECT f.model, f.name, f.ttype AS type,
    coalesce(f.relation, '') AS relation, f.required IS TRUE AS required, f.relation_table AS through, f.column1 AS own, f.column2 AS other,
    EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = to_regclass('public.' || replace(f.model, '.', '_'))
      AND a.attname = f.name AND NOT a.attisdropped) AS column
  FROM public.ir_model_fields f
  WHERE f.model IN (${list(models)}) AND f.store AND f.related IS NULL
    AND (f.readonly IS NOT TRUE OR f.required OR f.name = 'name')
    AND f.name NOT IN ('id', 'create_uid', 'create_date', 'write_uid', 'write_date', 'parent_path', 'message_main_attachment_id')
    AND f.ttype IN (${list([...PLAIN, 'many2one', 'many2many'])})
  ORDER BY f.model, f.name <> 'name', f.name`;

/** A row of any table. What is no text, number or truth value is shown as JSON: a text in each language, mostly. */
type Row = Readonly<Record<string, unknown>>;
const decodeRow: Decoder<Row> = (value) => value as Row;
const decodeLink = object({ own: count, other: count });
const decodeId = object({ id: count });

/**
 * Reads what was entered into a database since a backup, model by model, to be imported into what the backup has become.
 * Records that were only changed, and technical ones, are not among it.
 *
 * @param snapshot of the database that is replaced; not one with `onlyCopies`
 */
export async function salvage(snapshot: Snapshot, since: Date): Promise<Salvage> {
  const at = sql`timestamp ${since.toISOString().slice(0, -1)}`;
  const changes = await changesSince(snapshot, { instant: since, counts: {} });
  const entered = changes.models.filter(({ created }) => created > 0);
  const leftOut = changes.unread.map((label) => `${label}: it could not be looked at`);
  if (entered.length === 0) return { models: [], references: undefined, leftOut };
  const names = entered.map(({ model }) => model);
  const fields = Map.groupBy(await snapshot.rows(decodeField, fieldsOf(names)), ({ model }) => model);
  const isNew = new Map<string, ReadonlySet<number>>();
  for (const model of names) isNew.set(model, new Set(await newIds(snapshot, model, at)));
  const references = new References(isNew);
  const models: SalvagedModel[] = [];
  let bytes = 0;
  for (const { model, label } of inOrderOfUse(entered, fields)) {
    const exported = { model, fields: fields.get(model) ?? [], at, mostBytes: MOST_BYTES - bytes };
    const { cutLinks, ...file } = await csvOf(snapshot, exported, references);
    const size = Buffer.byteLength(file.csv);
    const all = isNew.get(model)?.size ?? 0;
    if (bytes + size > MOST_BYTES) {
      references.forget(model);
      leftOut.push(`${label}: the files would be larger than ${MOST_BYTES / 1024 ** 2} MiB`);
      continue;
    }
    bytes += size;
    models.push({ model, label, ...file });
    if (all === MOST_RECORDS) leftOut.push(`${label}: more than ${MOST_RECORDS} records`);
    if (file.records < all) {
      leftOut.push(
        `${label}: ${formatCounted(all - file.records, 'record')}, larger than ${LONGEST_RECORD / 1024 ** 2} MiB, or than what all files have room for`,
      );
    }
    for (const name of cutLinks) leftOut.push(`${label}: more than ${MOST_LINKS} links of ${name}`);
  }
  return { models, references: references.csv(), leftOut };
}

const tableOf = (model: string): string => model.replaceAll('.', '_');

async function newIds(snapshot: Snapshot, model: string, at: Sql): Promise<number[]> {
  const from = qualified('public', tableOf(model));
  const query = sql`SELECT id FROM ${from} WHERE create_date > ${at} ORDER BY id LIMIT ${MOST_RECORDS}`;
  return (await snapshot.rows(decodeId, query)).map(({ id }) => id);
}

/** How much a record needs another one: it cannot be without it, it refers to it, it is linked to it. */
type Need = 0 | 1 | 2;

const needOf = ({ type, required }: Field): Need => (type === 'many2many' ? 2 : required ? 0 : 1);

/**
 * What has to be imported first comes first. Where models need each other, the weaker need waits: links, which the model
 * at the other end has as well, then what may be empty.
 */
function inOrderOfUse(
  models: readonly ModelChanges[],
  fields: ReadonlyMap<string, readonly Field[]>,
): ModelChanges[] {
  const byName = new Map(models.map((each) => [each.model, each]));
  const needs = (model: string, need: Need) =>
    (fields.get(model) ?? []).flatMap((field) =>
      needOf(field) === need && field.relation !== model ? (byName.get(field.relation) ?? []) : [],
    );
  const reaches = (from: string, to: string, below: Need, seen = new Set<string>()): boolean => {
    if (from === to) return true;
    if (seen.has(from)) return false;
    seen.add(from);
    const next = ([0, 1] as const).filter((need) => need < below).flatMap((need) => needs(from, need));
    return next.some(({ model }) => reaches(model, to, below, seen));
  };
  const ordered: ModelChanges[] = [];
  const begun = new Set<string>();
  const place = (each: ModelChanges): void => {
    if (begun.has(each.model)) return;
    begun.add(each.model);
    for (const need of [0, 1, 2] as const) {
      for (const other of needs(each.model, need)) {
        if (need === 0 || !reaches(other.model, each.model, need)) place(other);
      }
    }
    ordered.push(each);
  };
  for (const each of models) place(each);
  return ordered;
}

/** External ids: of what is imported, and of what the backup has and that refers to. */
class References {
  readonly #isNew: ReadonlyMap<string, ReadonlySet<number>>;
  readonly #existing = new Map<string, readonly [model: string, id: number]>();
  readonly #imported = new Map<string, ReadonlySet<number>>();

  constructor(isNew: ReadonlyMap<string, ReadonlySet<number>>) {
    this.#isNew = isNew;
  }

  /** From here on these records of the model are, or are being, imported. */
  begin(model: string, ids: ReadonlySet<number>): void {
    this.#imported.set(model, ids);
  }

  /** They are not, after all. */
  forget(model: string): void {
    this.#imported.delete(model);
  }

  /** Empty for a record that is imported later, or left out: Odoo could not find it. */
  to(model: string, id: number): string {
    const name = `${tableOf(model)}_${id}`;
    const isNew = this.#isNew.get(model)?.has(id) === true;
    if (isNew && !this.#imported.get(model)?.has(id)) return '';
    if (!isNew) this.#existing.set(name, [model, id]);
    return `${MODULE}.${name}`;
  }

  csv(): string | undefined {
    if (this.#existing.size === 0) return undefined;
    const rows = [...this.#existing].map(([name, [model, id]]) => [MODULE, name, model, String(id), 'True']);
    return csvText([['module', 'name', 'model', 'res_id', 'noupdate'], ...rows]);
  }
}

interface Exported {
  readonly model: string;
  readonly fields: readonly Field[];
  readonly at: Sql;
  /** What is read of it, as JSON. */
  readonly mostBytes: number;
}

interface Csv extends Pick<SalvagedModel, 'csv' | 'records' | 'formulas'> {
  /** Names of fields that have more links than are read. */
  readonly cutLinks: readonly string[];
}

async function csvOf(
  snapshot: Snapshot,
  { model, fields, at, mostBytes }: Exported,
  references: References,
): Promise<Csv> {
  const columns = fields.filter(({ column, type }) => column && type !== 'many2many');
  const links = fields.filter(
    ({ type, through, own, other }) => type === 'many2many' && through && own && other,
  );
  const table = qualified('public', tableOf(model));
  const chosen = join([sql`id`, ...columns.map(({ name }) => identifier(name))], sql`, `);
  const entered = sql`SELECT ${chosen} FROM ${table} WHERE create_date > ${at}`;
  const rows = await snapshot.rows(
    decodeRow,
    sql`${entered} AND id IN (${fittingIds(entered, mostBytes)}) ORDER BY id`,
  );
  references.begin(model, new Set(rows.map(({ id }) => Number(id))));
  const linked = new Map<string, ReadonlyMap<number, readonly string[]>>();
  const cutLinks: string[] = [];
  for (const link of links) {
    const { found, isCut } = await linksOf(snapshot, { model, at }, link, references);
    linked.set(link.name, found);
    if (isCut) cutLinks.push(link.name);
  }
  const header = ['id', ...columns.map(headerOf), ...links.map(({ name }) => `${name}/id`)];
  const body = rows.map((row) => {
    const id = Number(row.id);
    return [
      references.to(model, id),
      ...columns.map((field) => cellOf(row[field.name], field, references)),
      ...links.map(({ name }) => (linked.get(name)?.get(id) ?? []).join(',')),
    ];
  });
  const texts = columns
    .filter(({ type }) => !NO_FORMULA.has(type))
    .map((field) => columns.indexOf(field) + 1);
  const formulas = body.flatMap((cells) => texts.filter((at) => FORMULA.test(cells[at] ?? ''))).length;
  return { csv: csvText([header, ...body]), records: rows.length, formulas, cutLinks };
}

/** Query: ids of those records that are not too large, one by one and all together. */
const fittingIds = (entered: Sql, mostBytes: number): Sql => sql`SELECT id FROM (
    SELECT id, sum(bytes) OVER (ORDER BY id) AS so_far FROM (
      SELECT s.id, octet_length(row_to_json(s)::text) AS bytes FROM (${entered} ORDER BY id LIMIT ${MOST_RECORDS}) s) measured
     WHERE bytes < ${LONGEST_RECORD}) counted
   WHERE so_far <= ${mostBytes}`;

/** Types whose values Odoo writes, and nobody types. */
const NO_FORMULA = new Set(['integer', 'float', 'monetary', 'boolean', 'date', 'datetime', 'many2one']);
/** As spreadsheets begin one; a phone number or a dash alone is none. */
const FORMULA = /^\s*[=@]|^[\t\r]|^\s*[+-](?![\d\s.,()/-]*$)/;

async function linksOf(
  snapshot: Snapshot,
  { model, at }: Pick<Exported, 'model' | 'at'>,
  { relation, through, own, other }: Field,
  references: References,
): Promise<{ readonly found: ReadonlyMap<number, readonly string[]>; readonly isCut: boolean }> {
  const found = new Map<number, string[]>();
  const [table, ours, theirs] = [through ?? '', own ?? '', other ?? ''];
  const present = await snapshot.lines(sql`SELECT 1 WHERE to_regclass(${`public.${table}`}) IS NOT NULL`);
  if (present.length === 0) return { found, isCut: false };
  const rows = await snapshot.rows(
    decodeLink,
    sql`SELECT l.${identifier(ours)} AS own, l.${identifier(theirs)} AS other FROM ${qualified('public', table)} l
      JOIN ${qualified('public', tableOf(model))} t ON t.id = l.${identifier(ours)} WHERE t.create_date > ${at}
     ORDER BY 1, 2 LIMIT ${MOST_LINKS}`,
  );
  for (const row of rows) {
    const names = found.get(row.own) ?? [];
    const name = references.to(relation, row.other);
    if (name !== '') names.push(name);
    found.set(row.own, names);
  }
  return { found, isCut: rows.length === MOST_LINKS };
}

const headerOf = ({ name, type }: Field): string => (type === 'many2one' ? `${name}/id` : name);

/** A value as Odoo's import reads it. */
function cellOf(value: unknown, { type, relation }: Field, references: References): string {
  if (value === null || value === undefined) return '';
  if (type === 'many2one') return typeof value === 'number' ? references.to(relation, value) : '';
  if (type === 'boolean') return value === true ? 'True' : 'False';
  if (type === 'datetime') return String(value).replace('T', ' ').slice(0, 19);
  if (typeof value !== 'object') return String(value);
  // From Odoo 16 on, a text in each language.
  const texts = value as Readonly<Record<string, unknown>>;
  return String(texts.en_US ?? Object.values(texts)[0] ?? '');
}

/** RFC 4180. */
const csvText = (rows: readonly (readonly string[])[]): string =>
  rows.map((row) => `${row.map(quotedCell).join(',')}\r\n`).join('');

const quotedCell = (cell: string): string =>
  /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
