import { buffer } from 'node:stream/consumers';
import type { DirectoryEntry } from '../../archive/central-directory.ts';
import { openEntry } from '../../archive/entry.ts';
import type { BackupDescription } from '../../archive/manifest.ts';
import type { RangeReader } from '../../archive/reader.ts';
import { ContentError, messageOf } from '../../errors.ts';
import { type Decoder, object, optional, record, text } from '../../storage/decode.ts';
import { decodeDescription } from '../../storage/description.ts';

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

/** Reads manifest.json. @throws ContentError when it is not Odoo's */
export const readManifest = (reader: RangeReader, entry: DirectoryEntry): Promise<OdooManifest> =>
  readJson(reader, entry, decodeManifest);

/** Reads backup.json. @throws ContentError when it is not ours */
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

function unreadable({ name }: DirectoryEntry, what: string, cause?: unknown): ContentError {
  return new ContentError(
    `${name} in the archive cannot be understood: ${what}`,
    'A newer version of this tool may have written it, or something else. Use that version, or choose another backup.',
    { cause },
  );
}
