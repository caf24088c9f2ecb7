import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { SessionKeys } from '../../src/s3/role-sessions.ts';

/** What a test asks STS to answer instead of keys. */
export class StsRefusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** A local service, and every request that it got. */
export interface LocalService<R> extends AsyncDisposable {
  readonly endpoint: string;
  readonly requests: readonly R[];
}

/**
 * Starts an STS service that knows AssumeRoleWithWebIdentity alone.
 *
 * @param issue makes the keys of a session; what it throws is the answer
 */
export async function startSts(
  issue: (request: URLSearchParams) => Promise<SessionKeys> | SessionKeys,
): Promise<LocalService<URLSearchParams>> {
  const requests: URLSearchParams[] = [];
  const server = createServer(async (incoming, response) => {
    const request = new URLSearchParams(await text(incoming));
    requests.push(request);
    response.setHeader('content-type', 'text/xml');
    try {
      if (request.get('Action') !== 'AssumeRoleWithWebIdentity')
        throw new StsRefusal(400, 'InvalidAction', `There is no ${request.get('Action')}`);
      response.end(answer(await issue(request)));
    } catch (error) {
      const { status = 500, code = 'InternalFailure', message } = error as Partial<StsRefusal>;
      const words = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error>`;
      response.writeHead(status).end(`<ErrorResponse xmlns="${NAMESPACE}">${words}</ErrorResponse>`);
    }
  });
  return { endpoint: await listen(server), requests, [Symbol.asyncDispose]: () => close(server) };
}

const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/';

function answer({ accessKeyId, secretAccessKey, sessionToken, expiration }: SessionKeys): string {
  const token = sessionToken === undefined ? '' : `<SessionToken>${sessionToken}</SessionToken>`;
  const end = expiration === undefined ? '' : `<Expiration>${expiration.toISOString()}</Expiration>`;
  return `<AssumeRoleWithWebIdentityResponse xmlns="${NAMESPACE}"><AssumeRoleWithWebIdentityResult><Credentials>
    <AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>${secretAccessKey}</SecretAccessKey>${token}${end}
    </Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`;
}

/** One request for an ID token of GitHub's. */
export interface TokenRequest {
  readonly audience: string | null;
  readonly authorization: string | undefined;
}

/** GitHub's service for ID tokens, as a job of a workflow reaches it: each answer is another token. */
export interface TokenService extends LocalService<TokenRequest> {
  /** The tokens that it gave out. */
  readonly tokens: readonly string[];
  /** What the runner sets. */
  readonly variables: Readonly<Record<string, string>>;
}

/** @param statuses of its first answers; then it gives tokens */
export async function startTokenService(statuses: readonly number[] = []): Promise<TokenService> {
  const requests: TokenRequest[] = [];
  const tokens: string[] = [];
  const server = createServer((incoming, response) => {
    const url = new URL(incoming.url ?? '/', 'http://localhost');
    const { authorization } = incoming.headers;
    requests.push({ audience: url.searchParams.get('audience'), authorization });
    const status = statuses[requests.length - 1] ?? (authorization === `Bearer ${BEARER}` ? 200 : 401);
    if (status !== 200) return response.writeHead(status).end();
    const claims = Buffer.from(JSON.stringify({ sub: 'repo:acme/odoo', n: requests.length })).toString(
      'base64url',
    );
    const token = `eyJhbGciOiJub25lIn0.${claims}.c2lnbmF0dXJl${requests.length}`;
    tokens.push(token);
    response.end(JSON.stringify({ count: token.length, value: token }));
  });
  const endpoint = await listen(server);
  const variables = {
    ACTIONS_ID_TOKEN_REQUEST_URL: `${endpoint}/token?api-version=2.0`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: BEARER,
  };
  return { endpoint, requests, tokens, variables, [Symbol.asyncDispose]: () => close(server) };
}

const BEARER = 'bearer-of-the-job';

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
