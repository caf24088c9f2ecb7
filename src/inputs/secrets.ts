import type { Environment } from '../platform/platform.ts';
import { inputTable } from './table.ts';

/** Reads one input as the platform has it; an empty string where it is not given. */
export type ReadInput = (name: string) => string;

/** What the SDK's credential chain takes from the environment and what must never be seen. */
const SECRET_VARIABLES = [
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN',
  'ACTIONS_ID_TOKEN_REQUEST_TOKEN',
  'AWS_ID_TOKEN',
];

/** Variables that hold a URL, which may have a password in it. */
const URL_VARIABLES = [
  'AWS_ENDPOINT_URL',
  'AWS_ENDPOINT_URL_S3',
  'AWS_ENDPOINT_URL_STS',
  ...['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()]),
];

/** Every secret there is before anything has been read or printed, derived forms included. */
export function secretsOf(read: ReadInput, env: Environment): string[] {
  const inputs = inputTable
    .filter((input) => 'secret' in input)
    .map(({ name }) => (keyInputs.includes(name) && looksLikePath(read(name)) ? '' : read(name)));
  const variables = SECRET_VARIABLES.map((name) => env[name]);
  const texts = [
    ...inputTable.map(({ name }) => read(name)),
    ...URL_VARIABLES.map((name) => env[name] ?? ''),
  ];
  const all = [...inputs, ...variables, ...texts.flatMap(passwordsIn)];
  return all.filter((secret): secret is string => Boolean(secret));
}

/** Secrets that may also be the path of a file. */
const keyInputs: readonly string[] = ['ssh-key', 'signing-key'];

/**
 * Whether a value is the path of a file with a secret, and not the secret: a message may then name it. A key in base64
 * that begins with a slash is longer.
 */
export const looksLikePath = (value: string): boolean =>
  value.length <= 200 && /^(~|\.{1,2})?\/[\w.@-][\w.@/-]*$/.test(value.trim());

/**
 * The passwords of the URLs in a text, as written, percent-encoded and decoded; also the user of an http URL without a
 * password, because it is a token. Any input may be a text with a URL in it.
 */
export function passwordsIn(text: string): string[] {
  return [...text.matchAll(/\b([a-z][a-z0-9+.-]*):\/\/([^\s/?#]+)@/gi)].flatMap(
    ([, scheme = '', userInfo = '']) => {
      const [user = '', ...rest] = userInfo.split(':');
      const password = rest.join(':') || (/^https?$/i.test(scheme) ? user : '');
      if (password === '') return [];
      const ofUrl = URL.parse(`http://x:${password}@host`)?.password ?? password;
      return [...new Set([password, ofUrl, decoded(password)])];
    },
  );
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a stray % is no escape
  }
}
