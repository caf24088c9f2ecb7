/** The bytes of a lane, which are taken in pieces of any length. */
export class LaneBytes {
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #stop: AbortSignal;
  /** Ends the wait for the next chunk. */
  #giveUp: (reason: unknown) => void = () => {};
  /** What was read and not taken. */
  #next: Buffer | undefined;
  #haveEnded = false;

  /** @param stop ends the wait for bytes, with its reason: a body that is destroyed may stand still all the same */
  constructor(body: AsyncIterable<Buffer>, stop: AbortSignal) {
    this.#chunks = body[Symbol.asyncIterator]();
    this.#stop = stop;
    stop.addEventListener('abort', () => this.#giveUp(stop.reason), { once: true });
  }

  /** Whether there are no more. Known when a piece has been taken to its end. */
  get haveEnded(): boolean {
    return this.#haveEnded;
  }

  /** The next bytes, so many at most. Reads on until it is known whether there are more. */
  async *take(length: number): AsyncGenerator<Buffer> {
    for (let left = length; ; ) {
      const chunk = this.#next ?? (await this.#read());
      if (chunk === undefined || left === 0) {
        this.#next = chunk;
        return;
      }
      const piece = chunk.subarray(0, left);
      this.#next = piece.length < chunk.length ? chunk.subarray(piece.length) : undefined;
      left -= piece.length;
      yield piece;
    }
  }

  /** The next bytes, in this buffer, which is filled unless there are no more. Reads on as `take` does. */
  async fill(buffer: Buffer): Promise<Buffer> {
    let at = 0;
    for await (const piece of this.take(buffer.length)) at += piece.copy(buffer, at);
    return buffer.subarray(0, at);
  }

  async #read(): Promise<Buffer | undefined> {
    for (;;) {
      const { value, done } = await this.#nextChunk();
      if (done) {
        this.#haveEnded = true;
        return undefined;
      }
      if (value.length > 0) return value;
    }
  }

  #nextChunk(): Promise<IteratorResult<Buffer>> {
    this.#stop.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<Buffer>>();
    this.#giveUp = reject;
    this.#chunks.next().then(resolve, reject);
    return promise;
  }
}
