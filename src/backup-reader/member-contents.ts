import type { Readable } from 'node:stream';
import type { DirectoryEntry, HasEntry } from '../archive/central-directory.ts';
import { openEntry } from '../archive/entry.ts';
import type { RangeReader } from '../archive/ranges.ts';
import { type ReadFile, readEntries } from '../archive/read-entries.ts';
import type { Seal } from './seal.ts';
import { parseSealedName, type SealedName } from './sealed-names.ts';
import { ContentSums } from './sums.ts';

/** How the content of members is checked and opened. */
interface ContentOptions {
  /** Default: everything passes. */
  readonly sums?: ContentSums;
  /** undefined: the archive is not sealed. */
  readonly seal?: Seal | undefined;
  /** Sizes of what is packed before it is sealed, by the names of what comes out. */
  readonly sizes?: Readonly<Record<string, number>> | undefined;
}

/** The way to what the members of an archive hold: compared with the receipt, and opened where it is sealed. */
export class MemberContents {
  readonly #reader: RangeReader;
  readonly #sums: ContentSums;
  readonly #seal: Seal | undefined;
  readonly #sizes: ReadonlyMap<string, number>;

  constructor(
    reader: RangeReader,
    { sums = new ContentSums(undefined), seal, sizes = {} }: ContentOptions = {},
  ) {
    this.#reader = reader;
    this.#sums = sums;
    this.#seal = seal;
    this.#sizes = new Map(Object.entries(sizes));
  }

  /** Size of the content in bytes; for what is packed and nobody has measured, its size in the zip. */
  sizeOf(entry: DirectoryEntry): number {
    const sealed = this.#sealed(entry);
    if (!sealed) return entry.size;
    const { isPacked, name } = sealed;
    if (isPacked) return this.#sizes.get(name) ?? entry.size;
    return sealed.seal.sizeOf(entry.name, entry.size);
  }

  /** A function that opens a member each time. The content fails at its end when it is not what was written. */
  opener(entry: DirectoryEntry): () => Readable {
    const stored = this.#sums.watched(entry.name, () => openEntry(this.#reader, entry));
    const sealed = this.#sealed(entry);
    return sealed ? () => sealed.seal.stream(entry.name, stored()) : stored;
  }

  /** Reads many members with few requests, in the order of the archive: see `readEntries`. */
  async *read<File extends HasEntry>(files: Iterable<File>): AsyncGenerator<ReadFile<File>> {
    for await (const { file, content } of readEntries(this.#reader, files)) {
      const { entry } = file;
      const checked = this.#sums.checked(entry.name, content);
      const sealed = this.#sealed(entry);
      yield { file, content: sealed ? await sealed.seal.content(entry.name, checked) : checked };
    }
  }

  #sealed({ name }: DirectoryEntry): (SealedName & { readonly seal: Seal }) | undefined {
    const sealed = this.#seal && parseSealedName(name);
    return sealed && this.#seal ? { ...sealed, seal: this.#seal } : undefined;
  }
}
