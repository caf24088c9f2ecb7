import { FileNames, Marks } from '../archive/file-names.ts';

export interface FilestoreFile {
  /** From the filestore's folder: `ab/abcd…`. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
}

/** Files of a filestore, numbered from 0, in 40 bytes or so each: there may be millions. */
export class FileList implements Iterable<FilestoreFile> {
  /** Of all of them, in bytes. */
  bytes = 0;
  readonly #names = new FileNames();
  #sizes = new Float64Array(1024);

  constructor(files: Iterable<FilestoreFile> = []) {
    for (const file of files) this.add(file);
  }

  get length(): number {
    return this.#names.length;
  }

  /** One that is there already keeps its size. */
  add({ name, size }: FilestoreFile): void {
    const number = this.#names.length;
    if (this.#names.add(name) < number) return;
    if (number === this.#sizes.length) {
      const sizes = new Float64Array(2 * number);
      sizes.set(this.#sizes);
      this.#sizes = sizes;
    }
    this.#sizes[number] = size;
    this.bytes += size;
  }

  /** @returns the number of a file, -1 when it is not there */
  indexOf(name: string): number {
    return this.#names.indexOf(name);
  }

  /** @throws RangeError when there is no such number */
  nameAt(number: number): string {
    return this.#names.at(number);
  }

  /** In bytes. @throws RangeError when there is no such number */
  sizeAt(number: number): number {
    const size = this.#sizes[number];
    if (size === undefined || number >= this.length)
      throw new RangeError(`There is no file of number ${number}`);
    return size;
  }

  /** The numbers of all of them. */
  numbers(): Marks {
    const all = new Marks(this.length);
    for (let number = 0; number < this.length; number += 1) all.add(number);
    return all;
  }

  *[Symbol.iterator](): Generator<FilestoreFile> {
    for (let number = 0; number < this.length; number += 1) {
      yield { name: this.nameAt(number), size: this.sizeAt(number) };
    }
  }
}
