import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { S3Client } from '@aws-sdk/client-s3';
import { asking } from '../util/questions.ts';
import { endingAnswered } from './answered-early.ts';
import { repeatingMissingResults } from './missing-results.ts';
import { OutageRetries, type Retries } from './outages.ts';
import { inNextSession, RoleSessions } from './role-sessions.ts';
import { failure, passesUnknown } from './sdk-errors.ts';
import { assumeRole, type Identity, type Role } from './web-identity.ts';

/** How to reach the S3 service. Credentials come from the role, or else from the SDK's default chain. */
export interface Connection {
  /** Default: `AWS_REGION` or the AWS profile; us-east-1 with an endpoint that needs no region. */
  readonly region?: string;
  /** The URL of an S3-compatible server. Default: Amazon. */
  readonly endpoint?: string;
  /** Whether the bucket is in the path instead of the host name. Default: true with an endpoint, false for Amazon. */
  readonly pathStyle: boolean | undefined;
  /** The role that the job assumes with its own ID token. */
  readonly role?: Role;
  /** How long a server that has not answered yet may take, in milliseconds, attempts included. Default 90 s. */
  readonly firstAnswerMs?: number;
  /** Waits for a server that has answered before, in milliseconds, behind those of the SDK. Default: half a minute in all. */
  readonly outageWaitsMs?: readonly number[];
}

/** The job that asks: who it is, and where its log goes. */
export interface Job extends Identity {
  info(message: string): void;
}

const seconds = 1000;

/** The options of the SDK's own agents. HTTP_PROXY, HTTPS_PROXY and NO_PROXY count, as with curl and the AWS CLI. */
const agentOptions = { keepAlive: true, maxSockets: 50, proxyEnv: process.env };

/**
 * A client that gives up on what hangs, and tries again what can pass.
 *
 * @param job needed where it assumes a role
 * @param signal ends the waits for a server that does not answer any more
 */
export function s3Client(
  { region, endpoint, pathStyle, firstAnswerMs, outageWaitsMs, role }: Connection,
  job?: Job,
  signal?: AbortSignal,
): S3Client {
  const sessions = role && job && new RoleSessions(() => assumeRole(role, job));
  const client = new S3Client({
    ...(endpoint ? compatible(endpoint, pathStyle ?? true) : { forcePathStyle: pathStyle ?? false }),
    // Checksum trailers, the SDK's default, are refused by Swift (501) and by Ceph 16 (411), and with them Amazon takes no
    // gaps in the numbers of parts. Content-MD5, which every part has, is taken by all.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    region: region ?? (endpoint ? process.env.AWS_REGION || 'us-east-1' : undefined),
    maxAttempts: 5,
    ...(sessions && { credentials: inTurn(sessions) }),
    // Node counts bytes taken by a slow network as activity: only a socket without any progress times out.
    requestHandler: {
      connectionTimeout: 10 * seconds,
      socketTimeout: 60 * seconds,
      httpAgent: new HttpAgent(agentOptions),
      httpsAgent: new HttpsAgent(agentOptions),
    },
    // The SDK opens a new connection for every request with `Expect: 100-continue` (2 MiB and more), and a new
    // connection starts slowly on a long path. What 100-continue would save, Store.check has found out before.
    expectContinueHeader: false,
  });
  const { config } = client;
  const sdk = config.retryStrategy as () => Promise<Retries>;
  const tell = job && ((message: string) => job.info(message));
  const outages = { server: endpoint ?? 'Amazon S3', waitsMs: outageWaitsMs, signal, tell };
  let retries: Promise<Retries> | undefined;
  config.retryStrategy = () => (retries ??= sdk().then((each) => new OutageRetries(each, outages)));
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        const answered = asking('s3', commandName);
        return next(args).finally(answered);
      },
    { step: 'initialize' },
  );
  client.middlewareStack.add((next) => (args) => next(signedByMd5(args)), { step: 'build', priority: 'low' });
  if (sessions) client.middlewareStack.add(inNextSession(sessions), { step: 'initialize' });
  client.middlewareStack.add(repeatingUnknown, { step: 'finalizeRequest', priority: 'low' });
  client.middlewareStack.add(repeatingMissingResults, { step: 'finalizeRequest', priority: 'low' });
  client.middlewareStack.add(endingAnswered, { step: 'deserialize', priority: 'low' });
  const limit = new FirstAnswer(firstAnswerMs ?? 90 * seconds);
  const limited = <Input, Output>(next: (args: Input) => Promise<Output>) => {
    const within = limit.attempts();
    return (args: Input) => within(() => next(args));
  };
  client.middlewareStack.add(limited, { step: 'finalizeRequest', priority: 'low' });
  return client;
}

/** Marks an error that passes, inside of what repeats requests: a receipt is read while another run writes it. */
const repeatingUnknown =
  <Input, Output>(next: (args: Input) => Promise<Output>) =>
  (args: Input): Promise<Output> =>
    next(args).catch((error: unknown) => {
      if (error instanceof Error && passesUnknown(error)) Object.assign(error, { $retryable: {} });
      throw error;
    });

/** Credentials for the SDK, which would keep them for itself unless they say that they are kept already. */
const inTurn = (sessions: RoleSessions) => Object.assign(() => sessions.keys(), { memoized: true });

/**
 * Once a server has answered, it may stand still for as long as the attempts above take, five minutes: a long upload
 * lives through that. A server that has never answered does not exist, for example when a firewall or a wrong port
 * swallows what is sent.
 */
class FirstAnswer {
  #answered = false;
  readonly #limitMs: number;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** For the attempts of one request: inside of what repeats them, where `NoAnswer` is nothing to repeat. */
  attempts(): <T>(attempt: () => Promise<T>) => Promise<T> {
    const started = performance.now();
    return async (attempt) => {
      if (this.#answered) return attempt();
      const late = Promise.withResolvers<never>();
      const message = `no answer within ${this.#limitMs / 1000} s`;
      const giveUp = () =>
        this.#answered || late.reject(Object.assign(new Error(message), { name: 'NoAnswer' }));
      const timer = setTimeout(giveUp, started + this.#limitMs - performance.now());
      try {
        const answer = await Promise.race([attempt(), late.promise]);
        this.#answered = true;
        return answer;
      } catch (error) {
        if (failure(error).$metadata?.httpStatusCode !== undefined) this.#answered = true;
        throw error;
      } finally {
        clearTimeout(timer);
      }
    };
  }
}

/**
 * SigV4 would take a SHA-256 of every part. Where its MD5 is a signed header already, that only costs time: a sixth of
 * an upload's, measured. (botocore does so too, over TLS.)
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
function signedByMd5<T extends { request: unknown }>(args: T): T {
  const { headers } = args.request as { headers: Record<string, string> };
  if ('content-md5' in headers) headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD';
  return args;
}

function compatible(endpoint: string, forcePathStyle: boolean) {
  return { endpoint, forcePathStyle, responseChecksumValidation: 'WHEN_REQUIRED' } as const;
}
