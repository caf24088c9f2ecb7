import { buffer } from 'node:stream/consumers';
import type { DirectoryEntry } from '../../archive/central-directory.ts';
import { openEntry } from '../../archive/entry.ts';
import type { BackupDescription } from '../../archive/manifest.ts';
import type { RangeReader } from '../../archive/reader.ts';
import { messageOf, UserError } from '../../errors.ts';
import type { FilestoreReport } from '../../host/filestore.ts';
import type { Extension } from '../../host/odoo-database.ts';
import {
  count,
  type Decoder,
  instant,
  list,
  nullable,
  object,
  oneOf,
  optional,
  record,
  text,
} from '../../storage/decode.ts';
import type { Tool } from '../../storage/proofs.ts';

/** Odoo's manifest.json. Other programs leave fields out. */
export interface OdooManifest {
  readonly db_name?: string;
  /** `17.0` */
  readonly major_version?: string;
  /** `15.0` */
  readonly pg_version?: string;
  /** Installed modules and their versions. */
  readonly modules?: Readonly<Record<string, string>>;
}

const decodeManifest = object<OdooManifest>({
  db_name: optional(text),
  major_version: optional(text),
  pg_version: optional(text),
  modules: optional(record(text)),
});

const decodeDescription = object<BackupDescription>({
  version: oneOf(1),
  tool: object<Tool>({ name: text, version: text }),
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

/** Reads manifest.json. @throws UserError when it is not Odoo's */
export const readManifest = (reader: RangeReader, entry: DirectoryEntry): Promise<OdooManifest> =>
  readJson(reader, entry, decodeManifest);

/** Reads backup.json. @throws UserError when it is not ours */
export const readDescription = (reader: RangeReader, entry: DirectoryEntry): Promise<BackupDescription> =>
  readJson(reader, entry, decodeDescription);

/** 70,000 missing files take 3 MB. */
const LARGEST_JSON = 64 * 2 ** 20;

async function readJson<T>(reader: RangeReader, entry: DirectoryEntry, decode: Decoder<T>): Promise<T> {
  if (entry.size > LARGEST_JSON) throw unreadable(entry, `it claims to be ${entry.size} bytes long`);
  const bytes = await buffer(openEntry(reader, entry));
  try {
    return decode(JSON.parse(bytes.toString('utf8')), entry.name);
  } catch (cause) {
    throw unreadable(entry, messageOf(cause), cause);
  }
}

function unreadable({ name }: DirectoryEntry, what: string, cause?: unknown): UserError {
  return new UserError(
    `${name} in the archive cannot be understood: ${what}`,
    'A newer version of this tool may have written it, or something else. Use that version, or choose another backup.',
    { cause },
  );
}
