/** Reads one value that came from outside. @throws Error that names the place and what was expected there */
export type Decoder<T> = (value: unknown, at: string) => T;

function expected(what: string, value: unknown, at: string): never {
  const found = value === undefined ? 'is missing' : `is ${JSON.stringify(value).slice(0, 60)}`;
  throw new Error(`${at} ${found}, expected ${what}`);
}

/** A value for which the test holds. */
function when<T>(what: string, test: (value: unknown) => value is T): Decoder<T> {
  return (value, at) => (test(value) ? value : expected(what, value, at));
}

const isText = (value: unknown): value is string => typeof value === 'string';

export const text = when('text', isText);

/** A number of things or of bytes. */
export const count = when(
  'a whole number',
  (value): value is number => Number.isSafeInteger(value) && Number(value) >= 0,
);

/** A bigint of PostgreSQL, in decimal digits. */
export const integer = when(
  'a whole number as text',
  (value): value is string => isText(value) && /^-?\d{1,19}$/.test(value),
);

export const flag = when('true or false', (value): value is boolean => typeof value === 'boolean');

/** As in seconds. */
export const amount = when('a number', (value): value is number => Number.isFinite(value));

export const md5 = when('an MD5', (value): value is string => isText(value) && /^[0-9a-f]{32}$/.test(value));

/** ISO 8601 in UTC, as Date.toISOString writes it. */
export const instant = when(
  'a time in UTC',
  (value): value is string => isText(value) && value.endsWith('Z') && !Number.isNaN(Date.parse(value)),
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

export function list<T>(decode: Decoder<T>): Decoder<readonly T[]> {
  return (value, at) => {
    if (!Array.isArray(value)) return expected('a list', value, at);
    return value.map((item, index) => decode(item, `${at}[${index}]`));
  };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function record<T>(decode: Decoder<T>): Decoder<Readonly<Record<string, T>>> {
  return (value, at) => {
    if (!isObject(value)) return expected('an object', value, at);
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, decode(item, `${at}.${key}`)]),
    );
  };
}

/** Fields that are not named are kept: a newer version may have written them. */
export function object<T extends object>(fields: { readonly [K in keyof T]-?: Decoder<T[K]> }): Decoder<T> {
  return (value, at) => {
    if (!isObject(value)) return expected('an object', value, at);
    const decoded: Record<string, unknown> = { ...value };
    for (const [name, decode] of Object.entries<Decoder<unknown>>(fields)) {
      const field = decode(value[name], `${at}.${name}`);
      if (field !== undefined) decoded[name] = field;
    }
    return decoded as T;
  };
}
