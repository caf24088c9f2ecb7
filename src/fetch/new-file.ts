import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf, UserError } from '../util/errors.ts';

const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
/** A backup holds what the customers' customers have entrusted: nobody else on this machine may read it. */
const MODE = 0o600;
const FOLDER_MODE = 0o700;

/**
 * A file that is written beside the name it will have, and gets it when it is whole.
 */
export class NewFile implements AsyncDisposable {
  readonly path: string;
  /** Where it is until then. */
  readonly temporary: string;
  readonly handle: FileHandle;
  /** Whether it may take the place of another file. */
  readonly replace: boolean;
  readonly #isKept: boolean;
  /** It has its name, or is gone. */
  #isPlaced = false;

  private constructor(
    fields: Pick<NewFile, 'path' | 'temporary' | 'handle'>,
    replace: boolean,
    isKept: boolean,
  ) {
    ({ path: this.path, temporary: this.temporary, handle: this.handle } = fields);
    this.replace = replace;
    this.#isKept = isKept;
  }

  /**
   * A file that is removed unless it gets its name.
   *
   * @throws UserError when the name is taken, or nothing can be written there
   */
  static async create(path: string, replace: boolean): Promise<NewFile> {
    await assertFree(path, replace);
    const temporary = join(dirname(path), `.odoo-backup-${randomBytes(8).toString('hex')}.part`);
    const handle = await opened(temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW);
    return new NewFile({ path, temporary, handle }, replace, false);
  }

  /**
   * The file that an earlier run has begun as `<path>.part`, or a new one. It stays when it does not get its name.
   *
   * @throws UserError as `create` does
   */
  static async resume(path: string, replace: boolean): Promise<NewFile> {
    await assertFree(path, replace);
    const temporary = `${path}.part`;
    const handle = await opened(temporary, O_RDWR | O_CREAT | O_NOFOLLOW); // in /tmp, somebody else may have put a link there
    const file = new NewFile({ path, temporary, handle }, replace, true);
    if ((await handle.stat()).isFile()) return file;
    await file[Symbol.asyncDispose]();
    throw new UserError(
      `output: ${temporary}, which the file is called until it is whole, is no file`,
      OTHER,
    );
  }

  /** Writes all of `bytes` from `at` on. */
  async write(bytes: Buffer, at: number): Promise<void> {
    for (let written = 0; written < bytes.length; ) {
      written += (await this.handle.write(bytes, written, bytes.length - written, at + written)).bytesWritten;
    }
  }

  /** Gives the file its name. @throws UserError when that is taken by now */
  async place(): Promise<void> {
    await this.handle.sync();
    await this.handle.close();
    if (this.replace) await rename(this.temporary, this.path);
    else await this.#link();
    this.#isPlaced = true;
  }

  /** Unlike a rename, a link never replaces what somebody else has put there in the meantime. */
  async #link(): Promise<void> {
    try {
      await link(this.temporary, this.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw taken(this.path);
      await assertFree(this.path, false); // a file system without links
      return rename(this.temporary, this.path);
    }
    await rm(this.temporary);
  }

  /** Removes it, also where it stays otherwise. */
  async remove(): Promise<void> {
    await this.handle.close();
    await rm(this.temporary, { force: true });
    this.#isPlaced = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isPlaced) return;
    await this.handle.close().catch(() => {}); // closed already
    if (!this.#isKept) await rm(this.temporary, { force: true });
  }
}

/** @throws UserError when something is there that may not be replaced */
export async function assertFree(path: string, replace: boolean): Promise<void> {
  const there = await lstat(path).catch(() => undefined);
  if (there?.isDirectory())
    throw new UserError(`output: ${path} is a folder`, 'Name the file that is to be written.');
  if (there && !replace) throw taken(path);
}

/**
 * Makes the folder, or takes one that is empty.
 *
 * @throws UserError when something is in it that may not be replaced
 */
export async function prepareFolder(path: string, replace: boolean): Promise<void> {
  try {
    await mkdir(path, { mode: FOLDER_MODE });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unwritable(path, error);
    const names = await readdir(path).catch((cause) => {
      throw new UserError(
        `output: ${path} is no folder`,
        'Attachments of a record go into a folder: name a new one.',
        {
          cause,
        },
      );
    });
    if (names.length === 0 || replace) return;
    throw new UserError(
      `output: the folder ${path} is not empty`,
      'Name a new folder, or set replace: true: files of the same names are then replaced, and others stay.',
    );
  }
}

const OTHER = 'Name another file.';

const taken = (path: string): UserError =>
  new UserError(`output: ${path} is there already`, 'Name another file, or set replace: true.');

async function opened(path: string, flags: number): Promise<FileHandle> {
  try {
    return await open(path, flags, MODE);
  } catch (error) {
    throw unwritable(path, error);
  }
}

function unwritable(path: string, cause: unknown): UserError {
  const hint =
    (cause as NodeJS.ErrnoException).code === 'ENOENT'
      ? `Make the folder ${dirname(path)} first.`
      : 'Name a file in a folder where this account may write.';
  return new UserError(`output: ${path} cannot be written: ${messageOf(cause)}`, hint, { cause });
}
