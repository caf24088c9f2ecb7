import { buffer } from 'node:stream/consumers';
import type { DirectoryEntry } from '../archive/central-directory.ts';
import { openEntry } from '../archive/entry.ts';
import type { RangeReader } from '../archive/ranges.ts';
import { type BackupDescription, decodeDescription } from '../catalog/description.ts';
import { sqlName, version } from '../catalog/shapes.ts';
import type { Identities } from '../sealing/identities.ts';
import { type Decoder, object, optional } from '../util/decode.ts';
import { ContentError, messageOf } from '../util/errors.ts';
import { parseJson } from '../util/json.ts';
import type { Members } from './members.ts';
import { Seal, type SealedBackup } from './seal.ts';
import { parseSealedName } from './sealed-names.ts';
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

/** Reads manifest.json, which is never sealed. @throws ContentError when it is not Odoo's */
export const readManifest = async (
  reader: RangeReader,
  entry: DirectoryEntry,
  sums?: ContentSums,
): Promise<OdooManifest> => decoded(entry.name, await readHeld(reader, entry, sums), decodeManifest);

/** Reads a backup.json that is not sealed. @throws ContentError when it is not ours */
export const readDescription = async (
  reader: RangeReader,
  entry: DirectoryEntry,
  sums?: ContentSums,
): Promise<BackupDescription> => decoded(entry.name, await readHeld(reader, entry, sums), decodeDescription);

/** An archive that may be sealed, and what opens it. */
export interface SealableArchive {
  readonly reader: RangeReader;
  readonly sealed: SealedBackup;
  readonly identities: Identities | undefined;
}

/** What an archive says of itself, and what opens its other members. */
export interface OpenedDescription {
  readonly description: BackupDescription | undefined;
  /** undefined: the archive is not sealed. */
  readonly seal: Seal | undefined;
}

/**
 * Reads backup.json, sealed or not.
 *
 * @param members by the names of what comes out
 * @throws UserError when it is sealed, and none of the identities opens it
 * @throws ContentError when it is not ours
 */
export async function openDescription(
  { reader, sealed, identities }: SealableArchive,
  members: Members,
  sums: ContentSums,
): Promise<OpenedDescription> {
  const entry = members.get('backup.json');
  if (!entry) return { description: undefined, seal: undefined };
  const stored = await readHeld(reader, entry, sums);
  if (!parseSealedName(entry.name)) {
    return { description: decoded(entry.name, stored, decodeDescription), seal: undefined };
  }
  const seal = await Seal.open(stored, entry.name, sealed, identities);
  const bytes = await held(entry.name, await seal.content(entry.name, stored));
  return { description: decoded(entry.name, bytes, decodeDescription), seal };
}

/** The description of a sealed dump that is an object of its own, from its receipt. */
export async function openSealedText(text: string, seal: Seal): Promise<BackupDescription> {
  const name = 'receipt.sealed.description.gz.age';
  const bytes = await held(name, await seal.content(name, Buffer.from(text, 'base64')));
  return decoded(name, bytes, decodeDescription);
}

/** 2,000,000 missing files take 90 MB. */
const LARGEST_JSON = 128 * 2 ** 20;

async function readHeld(
  reader: RangeReader,
  { name, size, ...entry }: DirectoryEntry,
  sums: ContentSums | undefined,
): Promise<Buffer> {
  if (size > LARGEST_JSON) throw unreadable(name, `it claims to be ${size} bytes long`);
  const bytes = await buffer(openEntry(reader, { name, size, ...entry }));
  sums?.compare(name, bytes);
  return bytes;
}

/** All of what comes out of something sealed. */
async function held(name: string, content: Buffer | AsyncIterable<Buffer>): Promise<Buffer> {
  if (Buffer.isBuffer(content)) return content;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of content) {
    size += chunk.length;
    if (size > LARGEST_JSON) throw unreadable(name, `it is longer than ${LARGEST_JSON} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function decoded<T>(name: string, bytes: Buffer, decode: Decoder<T>): T {
  try {
    return decode(parseJson(bytes), name);
  } catch (cause) {
    throw unreadable(name, messageOf(cause), cause);
  }
}

function unreadable(name: string, what: string, cause?: unknown): ContentError {
  return new ContentError(
    `${name} in the archive cannot be understood: ${what}`,
    'A newer version of this tool may have written it, or something else. Use that version, or choose another backup.',
    { cause },
  );
}
