/** Dumps in custom format as no pg_dump has made them, for tests of what reads them. */

/** An entry as it stands in a table of contents. Texts are UTF-8; undefined: there is none. */
export interface MadeEntry {
  readonly id: number;
  readonly kind: string;
  readonly name: string;
  readonly section?: number;
  readonly schema?: string;
  readonly owner?: string;
  readonly definition?: string;
  readonly drop?: string;
  readonly copy?: string;
  readonly tablespace?: string;
  readonly accessMethod?: string;
  readonly relationKind?: string;
  readonly dependencies?: readonly number[];
  /** Its rows, in chunks; or its large objects, by their oids. undefined: it has no data. */
  readonly data?: readonly Buffer[] | ReadonlyMap<number, readonly Buffer[]>;
}

export interface MadeDump {
  /** Minor version of the format. Default: 14, the newest that PostgreSQL 15 reads. */
  readonly version?: number;
  readonly intSize?: number;
  readonly program?: string;
  readonly entries: readonly MadeEntry[];
  /** The entries whose data blocks there are, in their order. Default: all that have data. */
  readonly blocks?: readonly MadeEntry[];
}

export const ENCODING: MadeEntry = {
  id: 1,
  kind: 'ENCODING',
  name: 'ENCODING',
  definition: "SET client_encoding = 'UTF8';\n",
};
export const STRINGS: MadeEntry = {
  id: 2,
  kind: 'STDSTRINGS',
  name: 'STDSTRINGS',
  definition: "SET standard_conforming_strings = 'on';\n",
};
export const SEARCH_PATH: MadeEntry = {
  id: 3,
  kind: 'SEARCHPATH',
  name: 'SEARCHPATH',
  definition: "SELECT pg_catalog.set_config('search_path', '', false);\n",
};

/** pg_dump names the catalog of an object, and none where the entry is about the rows of another one. */
const catalogOf = ({ kind }: MadeEntry): string => (/^(TABLE DATA|SEQUENCE SET)$/.test(kind) ? '0' : '1259');

/** @returns the bytes of such a dump */
export function customDump({
  version = 14,
  intSize = 4,
  program = '15.18',
  entries,
  blocks,
}: MadeDump): Buffer {
  const int = (value: number): Buffer => {
    const bytes = Buffer.alloc(1 + intSize);
    bytes[0] = value < 0 ? 1 : 0;
    bytes.writeUInt32LE(Math.abs(value), 1);
    return bytes;
  };
  const text = (value: string | undefined): Buffer => {
    const bytes = Buffer.from(value ?? '');
    return Buffer.concat([int(value === undefined ? -1 : bytes.length), bytes]);
  };
  const chunks = (data: readonly Buffer[]): Buffer[] => [
    ...data.flatMap((each) => [int(each.length), each]),
    int(0),
  ];
  const entry = (made: MadeEntry): Buffer[] => [
    ...[
      int(made.id),
      int(made.data ? 1 : 0),
      text(catalogOf(made)),
      text('16384'),
      text(made.name),
      text(made.kind),
    ],
    ...[int(made.section ?? 2), text(made.definition), text(made.drop), text(made.copy), text(made.schema)],
    text(made.tablespace),
    ...(version >= 14 ? [text(made.accessMethod)] : []),
    ...(version >= 16 ? [int(made.relationKind?.charCodeAt(0) ?? 0)] : []),
    ...[text(made.owner), text('false'), ...(made.dependencies ?? []).map((id) => text(String(id)))],
    ...[text(undefined), Buffer.from([made.data ? 1 : 3]), Buffer.alloc(8)],
  ];
  const block = ({ id, data = [] }: MadeEntry): Buffer[] =>
    data instanceof Map
      ? [
          Buffer.from([3]),
          int(id),
          ...[...data].flatMap(([oid, each]) => [int(oid | 0), ...chunks(each)]),
          int(0),
        ]
      : [Buffer.from([1]), int(id), ...chunks(data as readonly Buffer[])];
  return Buffer.concat([
    Buffer.from('PGDMP'),
    Buffer.from([1, version, 0, intSize, 8, 1]),
    version >= 15 ? Buffer.from([0]) : int(0),
    ...[0, 0, 12, 1, 0, 126, 0].map(int),
    ...[text('shop'), text('15.18'), text(program), int(entries.length)],
    ...entries.flatMap(entry),
    ...(blocks ?? entries.filter(({ data }) => data)).flatMap(block),
  ]);
}
