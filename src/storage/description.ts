import type { BackupDescription } from '../archive/manifest.ts';
import type {
  ExtensionPrivilege,
  ExtensionSequence,
  ExtensionState,
  SchemaOwner,
} from '../host/extension-state.ts';
import type { FilestoreReport } from '../host/filestore.ts';
import type { Extension } from '../host/odoo-database.ts';
import {
  count,
  flag,
  instant,
  integer,
  list,
  nullable,
  object,
  oneOf,
  optional,
  record,
  text,
} from './decode.ts';

const decodeExtensionState = object<ExtensionState>({
  schemas: list(object<SchemaOwner>({ name: text, owner: text })),
  sequences: list(object<ExtensionSequence>({ schema: text, name: text, last: integer, called: flag })),
  privileges: list(
    object<ExtensionPrivilege>({
      object: text,
      column: nullable(text),
      privilege: text,
      role: nullable(text),
      grantable: flag,
      granted: flag,
    }),
  ),
});

/** Of backup.json, or of a receipt where there is none. */
export const decodeDescription = object<BackupDescription>({
  version: oneOf(1),
  tool: object<BackupDescription['tool']>({ name: text, version: text }),
  database: text,
  startedAt: instant,
  odooVersion: text,
  postgres: object<BackupDescription['postgres']>({
    server: text,
    pgDump: count,
    owner: text,
    encoding: text,
    collate: text,
    ctype: text,
    localeProvider: text,
    locale: nullable(text),
    privileges: list(text),
    settings: list(object({ role: nullable(text), setting: text })),
    connectionLimit: optional(nullable(count)),
  }),
  databaseBytes: optional(count),
  extensions: list(object<Extension>({ name: text, version: text, schema: text, owner: optional(text) })),
  extensionState: optional(decodeExtensionState),
  roles: list(text),
  counts: record(count),
  sequencesBehind: optional(list(text)),
  attachments: object<BackupDescription['attachments']>({ files: count, inDatabase: count, location: text }),
  filestore: nullable(
    object<FilestoreReport>({
      files: count,
      bytes: count,
      missing: list(text),
      lost: list(text),
      corrupt: list(text),
      skipped: optional(list(text)),
    }),
  ),
});
