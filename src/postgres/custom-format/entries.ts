import { type DumpCursor, damaged } from './cursor.ts';
import type { DumpHead } from './head.ts';

/** An entry of the table of contents. Its texts have a character for each byte. */
export interface TocEntry {
  readonly id: number;
  /** Oid of the catalog that has the object, and of the object. */
  readonly classOid: number;
  readonly oid: number;
  /** `res_users`, `f(integer)`, `TABLE res_users` of what is about another object. */
  readonly name: string;
  /** `TABLE`, `TABLE DATA`, `FK CONSTRAINT` */
  readonly kind: string;
  readonly schema: string | undefined;
  readonly owner: string | undefined;
  readonly isPostData: boolean;
  /** The SQL that makes it. */
  readonly definition: string | undefined;
  /** The COPY statement of its data. */
  readonly copy: string | undefined;
  /** Empty: the database's own. */
  readonly tablespace: string | undefined;
  readonly accessMethod: string | undefined;
  readonly isPartitioned: boolean;
  /** Id of the first entry that it depends on. */
  readonly dependsOn: number | undefined;
  /** Whether it is one that has data. */
  readonly hasData: boolean;
  /** Whether there is a data block of it, or in a dump in directory format a file. */
  readonly hasBlock: boolean;
  /** Name of that file, without the ending of a compression; a directory may have several of them listed in it. */
  readonly file: string | undefined;
}

const POST_DATA = 4;
const NO_DATA = 3;
const PARTITIONED = 'p'.charCodeAt(0);

/** Reads one entry. @throws ContentError when pg_dump writes none like it */
export function readEntry(cursor: DumpCursor, head: DumpHead): TocEntry {
  const { name: dump } = cursor;
  const refuse = (what: string) => damaged(dump, `an entry of its table of contents has ${what}`);
  const id = cursor.int();
  if (id <= 0) throw refuse(`the id ${id}`);
  const hasData = cursor.int() !== 0;
  const [classOid, oid] = [number(cursor.text()), number(cursor.text())];
  const [name, kind] = [cursor.text(), cursor.text()];
  const section = cursor.int();
  const definition = cursor.text();
  cursor.text(); // the statement that drops it
  const copy = cursor.text();
  const [schema, tablespace] = [cursor.text(), cursor.text()];
  const accessMethod = head.version >= 14 ? cursor.text() : undefined;
  const relationKind = head.version >= 16 ? cursor.int() : 0;
  const owner = cursor.text();
  cursor.text(); // whether its rows have oids, which they have not had for long
  const dependsOn = readDependencies(cursor);
  const file = head.isDirectory ? cursor.text() || undefined : undefined; // an entry without data has an empty name
  const hasBlock = head.isDirectory ? file !== undefined : readPlace(cursor, head) !== NO_DATA;
  if (classOid === undefined || oid === undefined || Number.isNaN(dependsOn))
    throw refuse('a text for a number');
  if (name === undefined) throw refuse('no name');
  // It goes into a comment as it is.
  if (kind === undefined || !/^[A-Z][A-Z ]{0,63}$/.test(kind)) throw refuse('an unknown kind');
  if (section < 1 || section > POST_DATA) throw refuse(`the section ${section}`);
  return {
    ...{
      id,
      classOid,
      oid,
      name,
      kind,
      schema,
      owner,
      definition,
      copy,
      tablespace,
      accessMethod,
      dependsOn,
    },
    ...{
      isPostData: section === POST_DATA,
      isPartitioned: relationKind === PARTITIONED,
      hasData,
      hasBlock,
      file,
    },
  };
}

const number = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;

/** @returns the first; NaN: it is no number */
function readDependencies(cursor: DumpCursor): number | undefined {
  const first = cursor.text();
  if (first === undefined) return undefined;
  while (cursor.text() !== undefined);
  return number(first) ?? Number.NaN;
}

/** Where its data block is: known only where pg_dump could go back in the file that it wrote. @returns what is known */
function readPlace(cursor: DumpCursor, { offsetSize }: DumpHead): number {
  const known = cursor.byte();
  if (known < 1 || known > NO_DATA)
    throw damaged(cursor.name, `it knows in the way ${known} where its data are`);
  cursor.skip(offsetSize);
  return known;
}
