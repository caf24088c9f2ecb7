import type { TableOfContents } from './contents.ts';
import { inOneLine } from './contents.ts';
import { damaged } from './cursor.ts';
import type { TocEntry } from './entries.ts';
import { dumpedName } from './identifiers.ts';
import { programMajor } from './parts.ts';

/** Writes the SQL of entries, as pg_restore does: texts of the dump, with a character for each byte. */
export class SqlWriter {
  readonly #name: string;
  readonly #contents: TableOfContents;
  readonly #major: number;
  /** What the session is set to by the SQL so far. */
  #tablespace: string | undefined;
  #accessMethod: string | undefined;
  #schema: string | undefined;
  /** The dump sets a search path once for all; before PostgreSQL 10.3 it did so for each entry. */
  readonly #hasSearchPath: boolean;

  /** @param name of the dump, for messages */
  constructor(name: string, contents: TableOfContents, hasSearchPath: boolean) {
    this.#name = name;
    this.#contents = contents;
    this.#major = programMajor(contents.head);
    this.#hasSearchPath = hasSearchPath;
  }

  /** `_printTocEntry` of pg_backup_archiver.c. @param title `Data for `, for instance */
  *entry(entry: TocEntry, title: '' | 'Data for ' | 'Statistics for '): Generator<string> {
    const { name, kind, schema = '-', tablespace = '', accessMethod, isPartitioned } = entry;
    yield* this.#settings(entry);
    const place = tablespace === '' ? '' : `; Tablespace: ${inOneLine(tablespace)}`;
    const titled = `${title}Name: ${inOneLine(name)}; Type: ${kind}; Schema: ${inOneLine(schema)}`;
    yield `--\n-- ${titled}; Owner: -${place}\n--\n\n`;
    yield* this.#definition(entry);
    if (!isPartitioned || accessMethod === undefined) return;
    const table = entry.schema ? `${this.#quoted(entry.schema)}.${this.#quoted(name)}` : this.#quoted(name);
    yield `ALTER TABLE ${table} SET ACCESS METHOD ${this.#quoted(accessMethod)};\n\n`;
  }

  /** What stands before the rows of an entry. */
  *data({ schema, copy, kind }: TocEntry): Generator<string> {
    if (kind === 'BLOBS' || kind === 'BLOB COMMENTS') yield* this.#searchPath('pg_catalog');
    else {
      yield* this.#searchPath(schema);
      yield copy ?? '';
    }
  }

  *#settings({ schema, tablespace, accessMethod, isPartitioned }: TocEntry): Generator<string> {
    yield* this.#searchPath(schema);
    if (tablespace !== undefined && tablespace !== this.#tablespace) {
      yield `SET default_tablespace = ${tablespace === '' ? "''" : this.#quoted(tablespace)};\n\n`;
      this.#tablespace = tablespace;
    }
    if (isPartitioned || accessMethod === undefined || accessMethod === this.#accessMethod) return;
    yield `SET default_table_access_method = ${this.#quoted(accessMethod)};\n\n`;
    this.#accessMethod = accessMethod;
  }

  *#searchPath(schema: string | undefined): Generator<string> {
    if (this.#hasSearchPath || !schema || schema === this.#schema) return;
    yield `SET search_path = ${this.#quoted(schema)}${schema === 'pg_catalog' ? '' : ', pg_catalog'};\n\n`;
    this.#schema = schema;
  }

  *#definition(entry: TocEntry): Generator<string> {
    const { kind, name, definition = '' } = entry;
    const isComment = this.#major >= 15 && definition.startsWith('--'); // of the schema public
    if (kind === 'SCHEMA' && !isComment) yield `CREATE SCHEMA ${this.#quoted(name)};\n\n\n`;
    else if (this.#major >= 17 && kind === 'BLOB METADATA')
      yield* forEach(definition, "SELECT pg_catalog.lo_create('", "')");
    else if (this.#major >= 17 && kind === 'ACL' && name.startsWith('LARGE OBJECTS'))
      yield* this.#privileges(entry);
    else if (definition !== '') yield `${definition}\n\n`;
  }

  /** The privileges of one large object, for each that has the same. */
  *#privileges({ definition = '', dependsOn }: TocEntry): Generator<string> {
    const objects = this.#contents.largeObjects(dependsOn);
    if (!objects) throw damaged(this.#name, 'it has privileges of large objects that are not in it');
    for (const statement of statementsOf(definition)) {
      const [begin = '', end] = statement.split(LARGE_OBJECT, 2);
      if (end === undefined) throw damaged(this.#name, 'it has privileges of large objects that name none');
      yield* forEach(objects.definition ?? '', `${begin}LARGE OBJECT `, end);
    }
  }

  #quoted = (name: string): string => dumpedName(name, this.#major);
}

const LARGE_OBJECT = /LARGE OBJECT \d+/;

/** Statements without their semicolons. Only names of roles are quoted in them: `GRANT … TO "a;b";`. */
function* statementsOf(sql: string): Generator<string> {
  let begin = 0;
  let isQuoted = false;
  for (let at = 0; at < sql.length; at++) {
    const sign = sql[at];
    if (sign === '"') isQuoted = !isQuoted;
    if (sign !== ';' || isQuoted) continue;
    yield sql.slice(begin, at).replace(/^[ \t\n\v\f\r]+/, '');
    begin = at + 1;
  }
}

/** One statement for each line. */
function* forEach(lines: string, before: string, after: string): Generator<string> {
  let at = 0;
  for (let end = lines.indexOf('\n'); end >= 0; end = lines.indexOf('\n', at)) {
    yield `${before}${lines.slice(at, end)}${after};\n`;
    at = end + 1;
  }
  yield '\n';
}
