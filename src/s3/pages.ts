import { UserError } from '../util/errors.ts';

/** One page of a listing. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** The server says that there is more. */
  readonly truncated: boolean | undefined;
  /** Where the next page begins: a token, or a key and an ID. */
  readonly next: readonly (string | undefined)[];
}

/** Pages in a row that may be empty. */
const MOST_EMPTY = 100;

/**
 * Gives the items of a listing to its end, as long as it makes progress. A listing that was cut would be taken for
 * whole, and the newest backup might not be found.
 *
 * @param what is listed, for the message
 * @param ask gives the page that begins there; undefined: the first
 * @param nameOf an item
 * @throws UserError when the server says that there is more and not where, or gives again what it gave before
 */
export async function* pagesOf<Item>(
  what: string,
  ask: (from: readonly (string | undefined)[] | undefined) => Promise<Page<Item>>,
  nameOf: (item: Item) => string,
): AsyncGenerator<Item> {
  const seen = new Set<string>();
  const isNew = (mark: string): boolean => seen.size < seen.add(mark).size;
  let empty = 0;
  for (let from: readonly (string | undefined)[] | undefined; ; ) {
    const { items, truncated, next } = await ask(from);
    const [first] = items;
    empty = first === undefined ? empty + 1 : 0;
    if (empty > MOST_EMPTY || (first !== undefined && !isNew(`item ${nameOf(first)}`)))
      throw cut(what, AGAIN);
    yield* items;
    // A server that says where more begins has said that there is more.
    if (!(truncated ?? Boolean(next[0]))) return;
    if (!next[0]) throw cut(what, 'says that there is more, but not where');
    if (!isNew(`place ${JSON.stringify(next)}`)) throw cut(what, AGAIN);
    from = next;
  }
}

const AGAIN = 'returns the same page again and again';

function cut(what: string, how: string): UserError {
  return new UserError(
    `The list of ${what} is not whole: the S3 server ${how}`,
    'An incomplete list could hide backups, so nothing was done. Ask the provider of the S3 service, or use another one.',
  );
}
