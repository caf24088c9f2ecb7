import { Readable } from 'node:stream';

/** A stream with one writer, who waits while its reader does not read. */
export class ArchiveOutput extends Readable {
  /** Bytes written so far. */
  written = 0;
  /** Settles when there is room again; undefined while there is room. */
  #room: PromiseWithResolvers<void> | undefined;

  /** Resolves when the next bytes may come. Rejects with the stream's error when it is destroyed. */
  async write(bytes: Buffer): Promise<void> {
    if (this.errored) throw this.errored;
    this.written += bytes.length;
    if (bytes.length === 0 || this.push(bytes)) return;
    this.#room = Promise.withResolvers();
    await this.#room.promise;
  }

  end(): void {
    this.push(null);
  }

  override _read(): void {
    this.#room?.resolve();
  }

  /** A reader that stops before the end is an error, even if it reports none. */
  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const reason = error ?? (this.readableEnded ? null : new Error('The reader went away before the end'));
    if (reason) this.#room?.reject(reason);
    done(reason);
  }
}
