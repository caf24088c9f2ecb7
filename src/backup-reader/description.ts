import { buffer } from 'node:stream/consumers';
import type { DirectoryEntry } from '../archive/central-directory.ts';
import { openEntry } from '../archive/entry.ts';
import type { RangeReader } from '../archive/reader.ts';
import { type BackupDescription, decodeDescription } from '../catalog/description.ts';
import { sqlName, version } from '../catalog/shapes.ts';
import { type Decoder, object, optional } from '../util/decode.ts';
import { ContentError, messageOf } from '../util/errors.ts';
import { parseJson } from '../util/json.ts';
import type { ContentSums } from './sums.ts';

/** What a restore takes from Odoo's manifest.json. Other programs leave fields out. */
export interface OdooManifest {
  readonly db_name?: string;
  /** `17.0` */
  readonly major_version?: string;
}

const decodeManifest = object<OdooManifest>({
  db_name: optional(sqlName),
  major_version: optional(version),
});

/** Reads manifest.json. @throws ContentError when it is not Odoo's */
export const readManifest = (
  reader: RangeReader,
  entry: DirectoryEntry,
  sums?: ContentSums,
): Promise<OdooManifest> => readJson(reader, entry, decodeManifest, sums);

/** Reads backup.json. @throws ContentError when it is not ours */
export const readDescription = (
  reader: RangeReader,
  entry: DirectoryEntry,
  sums?: ContentSums,
): Promise<BackupDescription> => readJson(reader, entry, decodeDescription, sums);

/** 2,000,000 missing files take 90 MB. */
const LARGEST_JSON = 128 * 2 ** 20;

async function readJson<T>(
  reader: RangeReader,
  entry: DirectoryEntry,
  decode: Decoder<T>,
  sums: ContentSums | undefined,
): Promise<T> {
  if (entry.size > LARGEST_JSON) throw unreadable(entry, `it claims to be ${entry.size} bytes long`);
  const bytes = await buffer(openEntry(reader, entry));
  sums?.compare(entry.name, bytes);
  try {
    return decode(parseJson(bytes), entry.name);
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
