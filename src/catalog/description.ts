import { decodeCode } from '../odoo/code/code.ts';
import type { FilestoreReport } from '../odoo/filestore.ts';
import { MOST_SEQUENCES, numberKey } from '../odoo/numbering.ts';
import type { ExtensionPrivilege } from '../postgres/extensions/privileges.ts';
import type { ExtensionSequence, ExtensionState, SchemaOwner } from '../postgres/extensions/state.ts';
import type { DatabaseTraits, Extension } from '../postgres/traits.ts';
import {
  count,
  countUpTo,
  type Decoded,
  flag,
  instant,
  integer,
  list,
  nullable,
  object,
  oneOf,
  optional,
  record,
} from '../util/decode.ts';
import { decodeTool } from './proofs.ts';
import {
  aclItem,
  encoding,
  extensionName,
  fileName,
  grantObject,
  locale,
  location,
  memberName,
  privilege,
  programVersion,
  recipients,
  setting,
  sqlName,
  storageName,
  tableName,
  version,
} from './shapes.ts';

// More files than any database of Odoo has, and few enough to be held in memory.
export const MOST_FILES = 2_000_000;
const MOST_PRIVILEGES = 200_000;
const MOST_NAMES = 100_000;
const MOST_SETTINGS = 10_000;

const decodeExtensionState = object<ExtensionState>({
  schemas: list(object<SchemaOwner>({ name: sqlName, owner: sqlName }), MOST_NAMES),
  sequences: list(
    object<ExtensionSequence>({ schema: sqlName, name: sqlName, last: integer, called: flag }),
    MOST_NAMES,
  ),
  privileges: list(
    object<ExtensionPrivilege>({
      object: grantObject,
      column: nullable(sqlName),
      privilege,
      role: nullable(sqlName),
      grantable: flag,
      granted: flag,
    }),
    MOST_PRIVILEGES,
  ),
});

/** How many attachments lie in which other storage. */
export const storages = record(storageName, count, 100);

const fileNames = list(fileName, MOST_FILES);

/** Reads backup.json, or what a receipt says where there is none. */
export const decodeDescription = object({
  version: oneOf(1),
  tool: decodeTool,
  database: sqlName,
  /** ISO 8601, UTC. */
  startedAt: instant,
  odooVersion: version,
  /** The code that Odoo ran. Absent where it is not known, and in older archives. */
  code: optional(decodeCode),
  postgres: object<{ readonly server: string; readonly pgDump: number } & DatabaseTraits>({
    server: programVersion,
    pgDump: countUpTo(1000),
    owner: sqlName,
    encoding,
    collate: locale,
    ctype: locale,
    localeProvider: oneOf('libc', 'icu', 'builtin'),
    locale: nullable(locale),
    privileges: list(aclItem, MOST_NAMES),
    settings: list(object({ role: nullable(sqlName), setting }), MOST_SETTINGS),
    connectionLimit: optional(nullable(countUpTo(2 ** 31 - 1))),
  }),
  /** Size of the database on the server's disk, in bytes. Absent before version 0.2. */
  databaseBytes: optional(count),
  extensions: list(
    object<Extension>({ name: extensionName, version, schema: sqlName, owner: optional(sqlName) }),
    1000,
  ),
  /** Absent before version 0.2. */
  extensionState: optional(decodeExtensionState),
  roles: list(sqlName, MOST_NAMES),
  counts: record(tableName, count, MOST_NAMES),
  /**
   * Sequences that were behind their tables before the backup. Absent where they were not compared, and before version
   * 0.2.
   */
  sequencesBehind: optional(list(tableName, MOST_NAMES)),
  /** How far Odoo's sequences had come. Absent where they were not read, and in older archives. */
  numbers: optional(record(numberKey, integer, MOST_SEQUENCES)),
  attachments: object({
    files: count,
    inDatabase: count,
    location,
    /** Attachments in other storages, by storage. Absent in older archives. */
    elsewhere: optional(storages),
  }),
  /** null: a backup without the filestore. */
  filestore: nullable(
    object<FilestoreReport>({
      files: count,
      bytes: count,
      missing: fileNames,
      lost: fileNames,
      corrupt: fileNames,
      skipped: optional(fileNames),
    }),
  ),
  /** Whom the archive is sealed for, and the sizes of what comes out of its members. Absent: nobody. */
  sealed: optional(object({ recipients, sizes: optional(record(memberName, count, MOST_NAMES)) })),
});

/** backup.json: what a restore needs to know and Odoo's manifest does not say. */
export interface BackupDescription extends Decoded<typeof decodeDescription> {}
