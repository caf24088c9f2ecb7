import type { CatalogOptions } from '../catalog/keys.ts';
import type { Environment } from '../platform/platform.ts';
import type { StoreOptions } from '../s3/store.ts';
import { type Role, stsEndpoint } from '../s3/web-identity.ts';
import { boolean, type Fields, integer, matching, oneOf, parseDurationMs, Refusal, text } from './fields.ts';
import { choices } from './table.ts';

/** @returns undefined when something is missing or refused */
export function parseS3(fields: Fields, env: Environment): CatalogOptions | undefined {
  const bucket = fields.required(
    's3-bucket',
    bucketName,
    'is required (or the environment variable S3_BUCKET)',
  );
  const prefix = fields.optional('s3-prefix', keyPrefix) ?? '';
  const customer = parseCustomer(fields, env);
  const endpoint = fields.optional('s3-endpoint', endpointUrl);
  const region = fields.optional('aws-region', fields.given('s3-endpoint') ? regionName : amazonRegion);
  if (!fields.given('aws-region') && !fields.given('s3-endpoint') && !env.AWS_PROFILE) {
    fields.problem('aws-region: is required (or the environment variable AWS_REGION)');
  }
  const pathStyle = fields.optional('s3-path-style', boolean);
  const storageClass = fields.optional('storage-class', readableClass);
  const encryption = parseEncryption(fields);
  const lock = parseLock(fields);
  const role = parseRole(fields, env, region, endpoint);
  if (!bucket || !customer) return undefined;
  return { bucket, prefix, customer, region, endpoint, pathStyle, role, storageClass, lock, encryption };
}

/** GitHub's `owner/name` is the last resort; the name of a repository is always a good part of a key. */
function parseCustomer(fields: Fields, env: Environment): string | undefined {
  const repository = env.GITHUB_REPOSITORY?.split('/').at(-1);
  if (repository && !fields.given('customer')) return repository;
  return fields.required('customer', keyPart, 'is required outside CI: it is part of the key');
}

function parseEncryption(fields: Fields): StoreOptions['encryption'] {
  const kind = fields.optional('sse', oneOf(choices.sse));
  const keyId = fields.optional('kms-key-id', text);
  if (keyId !== undefined && kind !== 'aws:kms' && (kind || !fields.given('sse')))
    fields.problem('kms-key-id: needs sse: aws:kms');
  return kind === 'aws:kms' ? { kind, keyId } : kind && { kind };
}

function parseLock(fields: Fields): StoreOptions['lock'] {
  const mode = fields.optional('object-lock', oneOf(choices['object-lock']));
  const days = fields.optional('lock-days', integer(1, 36_500));
  if (fields.given('object-lock') !== fields.given('lock-days')) {
    const [given, missing] = fields.given('object-lock')
      ? ['object-lock', 'lock-days']
      : ['lock-days', 'object-lock'];
    fields.problem(`${missing}: is required, because ${given} is set`);
  }
  if (mode === undefined || days === undefined) return undefined;
  return { mode: mode === 'governance' ? 'GOVERNANCE' : 'COMPLIANCE', days };
}

/** The role that the job assumes; what else is given of it does not matter without its ARN. */
function parseRole(
  fields: Fields,
  env: Environment,
  region: string | undefined,
  s3Endpoint: string | undefined,
): Role | undefined {
  const arn = fields.optional('aws-role-arn', roleArn);
  const audience = fields.optional('aws-audience', matching(/^[\x21-\x7e]{1,255}$/, 'an audience'));
  const sessionName = fields.optional('aws-role-session-name', roleSessionName);
  const durationMs = fields.optional('aws-role-duration', (value) =>
    parseDurationMs(value, 15 * 60_000, 12 * 3_600_000),
  );
  if (!arn || !audience || !sessionName || !durationMs) return undefined;
  // A server other than Amazon's may go without a region; requests to STS are signed for none.
  const stsRegion = region ?? (s3Endpoint && 'us-east-1');
  if (!stsRegion) {
    fields.problem('aws-region: is required, because aws-role-arn is given');
    return undefined;
  }
  const endpoint = fields.check(() => stsEndpoint(stsRegion, s3Endpoint, env.AWS_ENDPOINT_URL_STS));
  if (endpoint === undefined) return undefined;
  return { arn, audience, sessionName, durationSeconds: durationMs / 1000, endpoint, region: stsRegion };
}

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html */
const roleArn = matching(
  /^arn:[\w-]*:iam::[\w-]*:role\/[\w+=,.@/-]{1,512}$/,
  'the ARN of a role, such as arn:aws:iam::123456789012:role/odoo-backup',
);
const roleSessionName = matching(/^[\w+=,.@-]{2,64}$/, 'a name of 2 to 64 letters, digits and +=,.@-_');

/** Not Amazon's full rule: other servers allow more, and an access point's ARN is no name at all. */
function bucketName(value: string): string {
  if (/^s3:\/\/|^https?:\/\//.test(value) || (value.includes('/') && !value.startsWith('arn:'))) {
    throw new Refusal(`'${value}' is more than a bucket's name: put the folder into s3-prefix`);
  }
  return matching(/^[\w.:/-]{3,255}$/, 'the name of a bucket')(value);
}

/** Without a slash before it, and with one behind it. */
function keyPrefix(value: string): string {
  const parts = value.split('/').filter((part) => part !== '');
  for (const part of parts) keyPart(part);
  return parts.map((part) => `${part}/`).join('');
}

/** One part of a key, of characters that no tool needs to quote. */
const keyPart = matching(/^(?!\.+$)[\w.-]+$/, 'made of letters, digits, ".", "_" and "-" only');

function endpointUrl(value: string): string {
  const url = URL.parse(value);
  // The value is not repeated: a URL may hold a password.
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new Refusal('is not a URL such as https://s3.example.com');
  if (url.username !== '' || url.password !== '') {
    throw new Refusal(
      'holds credentials: give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment',
    );
  }
  return value.replace(/\/+$/, '');
}

const regionName = matching(/^[\w-]+$/, 'a region, such as eu-central-1');

function amazonRegion(value: string): string {
  const [, region] = /^([a-z]{2}(?:-[a-z]+)+-\d)[a-z]$/.exec(value) ?? [];
  if (region) throw new Refusal(`${value} is an availability zone: its region is ${region}`);
  return regionName(value);
}

/** An archive is read back before its receipt is written, which these classes do not allow. */
function readableClass(value: string): string {
  if (/^(GLACIER|DEEP_ARCHIVE)$/.test(value)) {
    throw new Refusal(
      `${value} cannot be read back at once: choose GLACIER_IR, or move archives by a lifecycle rule`,
    );
  }
  return matching(/^[A-Za-z0-9_.-]+$/, 'the name of a storage class')(value);
}
