import { isPrintable, quoted, withoutControls } from './controls.ts';

/**
 * Reads one value that came from outside.
 *
 * @param at the name of the field, for the message
 * @throws Error that names the field and what was expected there
 */
export type Decoder<T> = (value: unknown, at: string) => T;

/** The type that a decoder gives. */
export type Decoded<D> = D extends Decoder<infer T> ? T : never;

/** A decoder for each field of an object. */
type FieldDecoders = Readonly<Record<string, Decoder<unknown>>>;

type OptionalField<F extends FieldDecoders> = {
  [K in keyof F]: undefined extends Decoded<F[K]> ? K : never;
}[keyof F];

/** The object that such decoders give. A field that may be left out is optional in it. */
type DecodedFields<F extends FieldDecoders> = {
  readonly [K in keyof F as Exclude<K, OptionalField<F>>]: Decoded<F[K]>;
} & {
  readonly [K in keyof F as Extract<K, OptionalField<F>>]?: Decoded<F[K]>;
};

/** Characters of a value that a message shows. */
const SHOWN = 60;

function expected(what: string, value: unknown, at: string): never {
  throw new Error(`${at} ${value === undefined ? 'is missing' : `is ${shown(value)}`}, expected ${what}`);
}

/** The beginning of a value, as JSON. A large one is not made a text of first. */
function shown(value: unknown): string {
  if (typeof value === 'string') {
    const text = quoted(value.slice(0, SHOWN));
    return text.length > SHOWN ? text.slice(0, SHOWN) : text;
  }
  if (Array.isArray(value)) return value.length === 0 ? '[]' : `a list of ${value.length}`;
  if (isObject(value)) return Object.keys(value).length === 0 ? '{}' : 'an object';
  return String(value);
}

/** A value for which the test holds. */
function when<T>(what: string, test: (value: unknown) => value is T): Decoder<T> {
  return (value, at) => (test(value) ? value : expected(what, value, at));
}

const isText = (value: unknown): value is string => typeof value === 'string';

/**
 * A text of at most so many bytes in UTF-8, without controls.
 *
 * @param what for the message: `a name`
 * @param shape what it must look like, as a whole
 */
export function text(what: string, mostBytes: number, shape?: RegExp): Decoder<string> {
  const isIt = (value: unknown): value is string =>
    isText(value) &&
    value.length <= mostBytes &&
    Buffer.byteLength(value) <= mostBytes &&
    isPrintable(value) &&
    (shape === undefined || shape.test(value));
  return when(what, isIt);
}

/**
 * A text of at most so many bytes in UTF-8, with whatever characters: where it goes (a statement, a path, a message), it
 * is encoded.
 */
export const rawText = (mostBytes: number): Decoder<string> =>
  when(
    `a text of at most ${mostBytes} bytes`,
    (value): value is string => isText(value) && Buffer.byteLength(value) <= mostBytes,
  );

/** A sentence for people: what it may not hold is replaced, and a long one is cut. */
export const sentence: Decoder<string> = (value, at) =>
  isText(value) ? withoutControls(value.replaceAll(/\s+/g, ' ').slice(0, 2000)) : expected('text', value, at);

/** A number of things or of bytes. */
export const count = countUpTo(Number.MAX_SAFE_INTEGER);

export function countUpTo(most: number): Decoder<number> {
  const what = most === Number.MAX_SAFE_INTEGER ? 'a whole number' : `a whole number up to ${most}`;
  return when(
    what,
    (value): value is number => Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= most,
  );
}

/** A bigint of PostgreSQL, in decimal digits. */
export const integer = when(
  'a whole number as text',
  (value): value is string => isText(value) && /^-?\d{1,19}$/.test(value),
);

export const flag = when('true or false', (value): value is boolean => typeof value === 'boolean');

/** Any number, as far as JavaScript has it exactly or nearly. */
export const number = when('a number', (value): value is number => Number.isFinite(value));

/** A number of seconds. */
export const amount = when(
  'a number',
  (value): value is number => Number.isFinite(value) && Number(value) >= 0,
);

export const md5 = when('an MD5', (value): value is string => isText(value) && /^[0-9a-f]{32}$/.test(value));

export const sha256 = when(
  'a SHA-256',
  (value): value is string => isText(value) && /^[0-9a-f]{64}$/.test(value),
);

/**
 * A text of several lines.
 *
 * @param shape what it must look like, as a whole; it has to leave controls out
 */
export function lines(what: string, mostBytes: number, shape: RegExp): Decoder<string> {
  return when(
    what,
    (value): value is string => isText(value) && value.length <= mostBytes && shape.test(value),
  );
}

/** ISO 8601 in UTC, as Date.toISOString writes it. */
export const instant = when(
  'a time in UTC',
  (value): value is string =>
    isText(value) &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/.test(value) &&
    !Number.isNaN(Date.parse(value)),
);

export function oneOf<const T extends readonly (string | number)[]>(...values: T): Decoder<T[number]> {
  return when(values.join(' or '), (value): value is T[number] => values.includes(value as T[number]));
}

/** There, or left out. */
export const yes = when('true', (value): value is true => value === true);

export function nullable<T>(decode: Decoder<T>): Decoder<T | null> {
  return (value, at) => (value === null ? null : decode(value, at));
}

export function optional<T>(decode: Decoder<T>): Decoder<T | undefined> {
  return (value, at) => (value === undefined ? undefined : decode(value, at));
}

/** @param most items that it may have */
export function list<T>(decode: Decoder<T>, most: number): Decoder<readonly T[]> {
  return (value, at) => {
    if (!Array.isArray(value)) return expected('a list', value, at);
    if (value.length > most) return expected(`at most ${most}`, value, at);
    return value.map((item, index) => decode(item, `${at}[${index}]`));
  };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** @param most names that it may have */
export function record<T>(
  decodeName: Decoder<string>,
  decode: Decoder<T>,
  most: number,
): Decoder<Readonly<Record<string, T>>> {
  return (value, at) => {
    if (!isObject(value)) return expected('an object', value, at);
    const entries = Object.entries(value);
    if (entries.length > most) throw new Error(`${at} has ${entries.length} names, expected at most ${most}`);
    // A name is looked at before a message shows it.
    return Object.fromEntries(
      entries.map(([name, item]) => [decodeName(name, `a name in ${at}`), decode(item, `${at}.${name}`)]),
    );
  };
}

/**
 * Decodes an object. FieldDecoders that are not named are dropped: nothing has checked them. The type is inferred from the
 * decoders of the fields; where a folder below has written the type for its own use, it is given, and the compiler asks
 * for a decoder for each of its fields, optional ones included.
 */
export function object<F extends FieldDecoders>(fields: F): Decoder<DecodedFields<F>>;
export function object<T extends object>(fields: { readonly [K in keyof T]-?: Decoder<T[K]> }): Decoder<T>;
export function object(fields: FieldDecoders): Decoder<object> {
  return (value, at) => {
    if (!isObject(value)) return expected('an object', value, at);
    const decoded: Record<string, unknown> = {};
    for (const [name, decode] of Object.entries(fields)) {
      const field = decode(Object.hasOwn(value, name) ? value[name] : undefined, `${at}.${name}`);
      if (field !== undefined) decoded[name] = field;
    }
    return decoded;
  };
}
