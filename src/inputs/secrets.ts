import type { Environment, ReadInput } from './fields.ts';
import { inputTable } from './table.ts';

/** What the SDK's credential chain takes from the environment and what must never be seen. */
const SECRET_VARIABLES = ['AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_CONTAINER_AUTHORIZATION_TOKEN'];

/** Inputs that may be URLs with a password in them. */
const URLS = ['s3-endpoint', 'restore-test', 'postgres-binaries-url'] as const;

/** Every secret there is before anything has been read or printed, derived forms included. */
export function secretsOf(read: ReadInput, env: Environment): string[] {
  const inputs = inputTable.filter((input) => 'secret' in input).map((input) => read(input.name));
  const variables = SECRET_VARIABLES.map((name) => env[name]);
  const urls = [...URLS.map(read), env.AWS_ENDPOINT_URL_S3].flatMap(passwordsOf);
  return [...inputs, ...variables, ...urls].filter((secret): secret is string => Boolean(secret));
}

/** The password of a URL, as it stands there and as it is meant. */
function passwordsOf(url: string | undefined): string[] {
  const { password } = URL.parse(url ?? '') ?? {};
  if (!password) return [];
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    return [password]; // a stray % is no escape
  }
}
