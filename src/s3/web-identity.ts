import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { withoutControls } from '../util/controls.ts';
import { messageOf, UserError } from '../util/errors.ts';
import type { SessionKeys } from './role-sessions.ts';
import { errorName, failure } from './sdk-errors.ts';

/** A role at AWS that the job assumes with its own ID token. */
export interface Role {
  readonly arn: string;
  /** The audience of the ID token, as the identity provider at AWS has it. */
  readonly audience: string;
  /** What CloudTrail calls the sessions. */
  readonly sessionName: string;
  readonly durationSeconds: number;
  /** The URL of the STS service: the only one that sees the token. */
  readonly endpoint: string;
  readonly region: string;
}

/** How the job proves who it is, and whom it tells what must never be printed. */
export interface Identity {
  idToken(audience: string): Promise<string>;
  secret(value: string): void;
}

const seconds = 1000;

/**
 * Assumes the role for one session.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 *
 * @throws UserError where the job has no token, or may not assume the role
 */
export async function assumeRole(role: Role, identity: Identity): Promise<SessionKeys> {
  const token = await identity.idToken(role.audience);
  identity.secret(token);
  // Loaded here: most runs have no role, and start sooner without it.
  const { AssumeRoleWithWebIdentityCommand, STSClient } = await import('@aws-sdk/client-sts');
  const agentOptions = { proxyEnv: process.env };
  const client = new STSClient({
    region: role.region,
    endpoint: role.endpoint, // given, so that AWS_ENDPOINT_URL, an S3 server perhaps, does not count
    maxAttempts: 5,
    requestHandler: {
      connectionTimeout: 10 * seconds,
      requestTimeout: 30 * seconds,
      throwOnRequestTimeout: true,
      httpAgent: new HttpAgent(agentOptions),
      httpsAgent: new HttpsAgent(agentOptions),
    },
  });
  const command = new AssumeRoleWithWebIdentityCommand({
    RoleArn: role.arn,
    RoleSessionName: role.sessionName,
    WebIdentityToken: token,
    DurationSeconds: role.durationSeconds,
  });
  try {
    const { Credentials: keys } = await client.send(command);
    if (!keys?.AccessKeyId || !keys.SecretAccessKey) throw new Error('its answer has no keys');
    for (const secret of [keys.SecretAccessKey, keys.SessionToken]) if (secret) identity.secret(secret);
    return {
      accessKeyId: keys.AccessKeyId,
      secretAccessKey: keys.SecretAccessKey,
      sessionToken: keys.SessionToken,
      expiration: keys.Expiration,
    };
  } catch (error) {
    throw refusal(error, role);
  } finally {
    client.destroy();
  }
}

function refusal(error: unknown, { arn, endpoint }: Role): UserError {
  const why = withoutControls(messageOf(error)).slice(0, 1000);
  if (failure(error).$metadata?.httpStatusCode === undefined) {
    return new UserError(
      `The role ${arn} could not be assumed, because ${endpoint} was not reached: ${why}`,
      'The job has to reach that service as well as S3. Check `aws-region`, AWS_ENDPOINT_URL_STS, the proxy and the firewall.',
      { cause: error },
    );
  }
  const hint =
    errorName(error) === 'ValidationError'
      ? 'Check `aws-role-arn`, and that `aws-role-duration` is no longer than the maximum session duration of the role.'
      : 'Compare the trust policy of the role with the `sub` and `aud` claims of the job’s ID token, and the identity provider at AWS with `aws-audience`.';
  // Without its cause, which would repeat what the service says, however long that is.
  return new UserError(`AWS did not let this job assume the role ${arn}: ${why}`, hint);
}

/** The suffixes of the partitions that are not reached under amazonaws.com. */
const suffixes: Readonly<Record<string, string>> = { cn: 'amazonaws.com.cn', eusc: 'amazonaws.eu' };

/**
 * The service that the ID token is sent to: that of AWS_ENDPOINT_URL_STS, or Amazon's in the region.
 *
 * @param s3Endpoint of another S3 service, whose STS has to be named
 * @throws UserError where it is not known, or would see the token in clear text on its way
 */
export function stsEndpoint(
  region: string,
  s3Endpoint: string | undefined,
  given: string | undefined,
): string {
  if (given) return checkedEndpoint(given);
  const isAmazon =
    s3Endpoint === undefined || /\.amazonaws\.(com|com\.cn|eu)$/.test(new URL(s3Endpoint).hostname);
  const [, partition = ''] = /^([a-z]{2,4})(?:-[a-z]+)+-\d{1,2}$/.exec(region) ?? [];
  if (isAmazon && partition !== '') return `https://sts.${region}.${suffixes[partition] ?? 'amazonaws.com'}`;
  throw new UserError(
    'aws-role-arn: the STS service is not known that would let this job assume it',
    'Set AWS_ENDPOINT_URL_STS to its URL: for a server other than Amazon’s it is often that of `s3-endpoint`.',
  );
}

function checkedEndpoint(given: string): string {
  const url = URL.parse(given);
  const isHere = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url?.hostname ?? '');
  if (url && (url.protocol === 'https:' || (url.protocol === 'http:' && isHere))) return given;
  // The value is not repeated: a URL may hold a password.
  throw new UserError(
    'AWS_ENDPOINT_URL_STS is no https:// URL',
    'The ID token of the job would go there in clear text, and anyone anyone who sees it can assume the role.',
  );
}
