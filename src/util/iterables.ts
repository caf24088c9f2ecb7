/** Yields nothing: the standard input of a command that reads none. */
export async function* none(): AsyncGenerator<never> {}

/** Yields one value. */
export async function* only<T>(one: T): AsyncGenerator<T> {
  yield one;
}

/** Yields one value, and then what an iterator still has. */
export async function* continued<T>(first: T, rest: AsyncIterator<T>): AsyncGenerator<T> {
  yield first;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}
