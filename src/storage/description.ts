import type { BackupDescription } from '../archive/manifest.ts';
import type { FilestoreReport } from '../host/filestore.ts';
import type { Extension } from '../host/odoo-database.ts';
import { count, instant, list, nullable, object, oneOf, optional, record, text } from './decode.ts';

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
  }),
  databaseBytes: optional(count),
  extensions: list(object<Extension>({ name: text, version: text, schema: text })),
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
    }),
  ),
});
