import { buffer } from 'node:stream/consumers';
import type { MemberContents } from '../../backup-reader/member-contents.ts';
import type { Members } from '../../backup-reader/members.ts';
import { decompressed } from '../../postgres/custom-format/compression.ts';
import { decoded } from '../../postgres/custom-format/contents.ts';
import { damaged } from '../../postgres/custom-format/cursor.ts';
import type { TocEntry } from '../../postgres/custom-format/entries.ts';
import { MOST_CONTENTS, type OpenDump, openDump } from '../../postgres/custom-format/open.ts';
import { readsBlock, restoredEntries } from '../../postgres/custom-format/restored.ts';
import { quoted } from '../../util/controls.ts';
import { only } from '../../util/iterables.ts';
import type { FilesThere } from './attached-files.ts';
import { DumpedRows } from './dumped-rows.ts';

const FOLDER = 'dump/';
/** How pg_dump's files may be compressed, in the order in which pg_restore looks for them. */
const ENDINGS = ['', '.gz', '.lz4', '.zst'];
/** The most bytes of a list of large objects: a million of them. */
const MOST_LISTED = 64 * 2 ** 20;

/** Reads the files of a dump in directory format as they pass, in any order. */
export class DirectoryDump {
  readonly rows: DumpedRows;
  readonly #members: Members;
  /** Entries with rows, by the names of their files. */
  readonly #entries = new Map<string, TocEntry>();
  /** Names of the files that list large objects. */
  readonly #lists = new Set<string>();
  /** Names of the files of large objects. */
  readonly #objects = new Set<string>();

  private constructor(members: Members, dump: OpenDump, there: FilesThere) {
    this.rows = new DumpedRows(FOLDER, there);
    this.#members = members;
    for (const { entry, parts } of restoredEntries(dump)) {
      if (!readsBlock(entry, parts) || entry.file === undefined) continue;
      if (entry.kind !== 'BLOBS') this.#entries.set(decoded(entry.file), entry);
      else this.#lists.add(dump.contents.head.version >= 16 ? decoded(entry.file) : 'blobs.toc');
    }
  }

  /**
   * Reads the table of contents.
   *
   * @returns undefined for a dump that is not known here
   * @throws ContentError when it is not whole, or there is no file of what it has
   */
  static async open(
    contents: MemberContents,
    members: Members,
    there: FilesThere,
  ): Promise<DirectoryDump | undefined> {
    const toc = members.get(`${FOLDER}toc.dat`);
    const isPacked = [...members.others.keys()].some(
      (name) => name.startsWith(FOLDER) && name.endsWith('.lz4'),
    );
    if (!toc || isPacked || toc.size > MOST_CONTENTS) return undefined;
    const bytes = await buffer(contents.opener(toc)()); // where its bytes are not those that were written, that says more
    const open = await openDump(`${FOLDER}toc.dat`, only(bytes));
    if (open.kind === 'unknown') return undefined;
    const dump = new DirectoryDump(members, open, there);
    for (const file of [...dump.#entries.keys(), ...dump.#lists]) dump.#assertThere(file);
    return dump;
  }

  /** Reads one file. @param name in the archive */
  async read(name: string, content: AsyncIterable<Buffer>): Promise<void> {
    const ending = /\.(?:gz|zst)$/.exec(name)?.[0] ?? '';
    const file = name.slice(FOLDER.length, name.length - ending.length);
    const data = ending === '' ? content : decompressed(name, content, ending === '.gz' ? 'gzip' : 'zstd');
    const entry = this.#entries.get(file);
    if (this.#lists.has(file)) await this.#readList(name, data);
    else if (entry) await this.rows.read(entry, data);
    else for await (const _ of data);
  }

  /** Once all files have passed. @throws ContentError where one lacks */
  finish(): void {
    for (const file of this.#objects) this.#assertThere(file);
  }

  #assertThere(file: string): void {
    if (ENDINGS.some((ending) => this.#members.has(`${FOLDER}${file}${ending}`))) return;
    throw damaged(FOLDER, `it lacks the file ${quoted(file)}`);
  }

  /** A line for each: `16423 blob_16423.dat`. */
  async #readList(name: string, data: AsyncIterable<Buffer>): Promise<void> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of data) {
      bytes += chunk.length;
      if (bytes > MOST_LISTED) throw damaged(FOLDER, `${quoted(name)} has more than ${MOST_LISTED} bytes`);
      chunks.push(chunk);
    }
    for (const line of Buffer.concat(chunks).toString('latin1').split('\n')) {
      const file = /^\d+ (\S+)$/.exec(line)?.[1];
      if (file !== undefined) this.#objects.add(file);
      else if (line !== '') throw damaged(FOLDER, `${quoted(name)} has a line that is none`);
    }
  }
}
