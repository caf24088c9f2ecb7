/** Yields nothing: the standard input of a command that reads none. */
export async function* none(): AsyncGenerator<never> {}

/** Yields one value. */
export async function* only<T>(one: T): AsyncGenerator<T> {
  yield one;
}
