import { withoutControls } from '../util/controls.ts';
import { UserError } from '../util/errors.ts';
import { connectionError, ofStranger } from './connection-errors.ts';
import {
  askedAgain,
  codeOf,
  type Explanation,
  failure,
  isNotFound,
  type SdkFailure,
  saidBy,
} from './sdk-errors.ts';

/** The permissions that are asked of S3, as an IAM policy names them. */
export type S3Action =
  | 's3:AbortMultipartUpload'
  | 's3:DeleteObject'
  | 's3:DeleteObjectVersion'
  | 's3:GetBucketVersioning'
  | 's3:GetObject'
  | 's3:GetObjectLegalHold'
  | 's3:GetObjectRetention'
  | 's3:ListBucket'
  | 's3:ListBucketMultipartUploads'
  | 's3:ListBucketVersions'
  | 's3:PutObject';

/** What was asked for when the error came. */
export interface S3Request {
  readonly action: S3Action;
  readonly key?: string;
}

interface Asked extends S3Request {
  readonly bucket: string;
  readonly endpoint: string | undefined;
  /** New objects ask for Object Lock. */
  readonly locks?: boolean;
}

/** Turns what the SDK throws into what happened and what to do about it. A UserError stays what it is. */
export function s3Error(error: unknown, asked: Asked): UserError {
  if (error instanceof UserError) return error;
  const [message, hint] = explain(failure(error), asked);
  return new UserError(message, hint, { cause: error });
}

function explain(error: SdkFailure, asked: Asked): Explanation {
  const name = error.name ?? '';
  const status = error.$metadata?.httpStatusCode;
  return (
    ofStranger(error, status, asked.endpoint, asked.key === undefined) ??
    ofCredentials(error, name) ??
    ofRegion(error, name, status, asked) ??
    ofEncryption(error, name) ??
    ofLock(error, name, asked) ??
    ofObject(name, status, asked) ??
    ofPermission(error, name, status, asked) ??
    ofServer(error, status, asked) ??
    connectionError(error, asked.endpoint) ?? [
      `S3 refused ${asked.action} on ${place(asked)}${said(error)}${status ? ` (HTTP ${status})` : ''}`,
      'Look the code up in the documentation of the S3 service.',
    ]
  );
}

const keySources =
  'A role: `aws-role-arn`, on GitHub with `permissions: id-token: write`, elsewhere with AWS_WEB_IDENTITY_TOKEN_FILE. Anywhere: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.';

function ofCredentials(error: SdkFailure, name: string): Explanation | undefined {
  if (error.message?.includes('sts:AssumeRole') || name === 'InvalidIdentityToken') {
    return [
      `AWS did not let this job assume its role: ${error.message}`,
      'Compare the trust policy of the role with the `sub` and `aud` claims of the job’s OIDC token.',
    ];
  }
  if (error.code === 'ERR_INVALID_CHAR') {
    const variable = /security-token/i.test(error.message ?? '') ? 'AWS_SESSION_TOKEN' : 'AWS_ACCESS_KEY_ID';
    return [
      `${variable} holds a character that no key has, such as a line break`,
      'Save the secret again, without a line break at its end.',
    ];
  }
  if (error.path !== undefined && /^(ENOENT|EACCES|EISDIR)$/.test(error.code ?? '')) {
    return [
      `The AWS credentials cannot be read from the file ${withoutControls(error.path)} (${error.code})`,
      'AWS_WEB_IDENTITY_TOKEN_FILE, or another variable of AWS, names it: it has to be there for as long as this program runs.',
    ];
  }
  switch (name) {
    case 'CredentialsProviderError':
    case 'TokenProviderError':
      return ['There are no AWS credentials in this job', keySources];
    case 'InvalidAccessKeyId':
      return [
        'The S3 service does not know the access key (InvalidAccessKeyId)',
        'Check AWS_ACCESS_KEY_ID, and that the key belongs to this service (`s3-endpoint`) and is active.',
      ];
    case 'SignatureDoesNotMatch':
      return [
        'The secret key does not belong to the access key (SignatureDoesNotMatch)',
        'Check AWS_SECRET_ACCESS_KEY: no space or line break around it; and that no proxy changes the host name.',
      ];
    case 'ExpiredToken':
    case 'ExpiredTokenException':
    case 'TokenRefreshRequired':
      return [
        `The AWS session has expired (${name})`,
        'Give `aws-role-arn`: this program then assumes the role by itself, as often as it needs.',
      ];
    case 'InvalidToken':
      return [
        'The S3 service refuses the session token (InvalidToken)',
        'AWS_SESSION_TOKEN belongs to other keys: unset it, or set all three AWS variables from one session.',
      ];
    case 'RequestTimeTooSkewed':
      return [
        'The clock of this machine differs from the S3 service’s (RequestTimeTooSkewed)',
        'Set the clock of the runner.',
      ];
  }
  return undefined;
}

const wrongRegion = [
  'PermanentRedirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
];

function ofRegion(
  error: SdkFailure,
  name: string,
  status: number | undefined,
  asked: Asked,
): Explanation | undefined {
  if (error.message === 'Region is missing') {
    return ['The AWS region is not known', 'Set `aws-region` (or AWS_REGION) to the region of the bucket.'];
  }
  if (!wrongRegion.includes(name) && status !== 301) return undefined;
  const region = error.Region ?? error.$response?.headers?.['x-amz-bucket-region'];
  return [
    `The bucket ${asked.bucket} is in ${region ? `the region ${region}` : 'another region'}`,
    `Set \`aws-region\` to ${region ?? 'the region of the bucket'}.`,
  ];
}

function ofEncryption(error: SdkFailure, name: string): Explanation | undefined {
  // An action, an ARN, a sentence of Amazon's, Ceph's own wording; but not a bucket that has `kms` in its name.
  const aboutKms = /\bkms:[A-Z]|:kms:|\bKMS\b|\bkms-keyid:/.test(error.message ?? '');
  if (!aboutKms && !name.startsWith('KMS.')) return undefined;
  return [
    `The KMS key cannot be used: ${error.message || name}`,
    'Check `kms-key-id`; the role needs kms:GenerateDataKey and kms:Decrypt on that key.',
  ];
}

/** Amazon says what is missing, Ceph nothing at all. */
function ofLock(error: SdkFailure, name: string, asked: Asked): Explanation | undefined {
  const says = !error.message || error.message === 'UnknownError' || /lock/i.test(error.message);
  if (!asked.locks || asked.action !== 's3:PutObject' || name !== 'InvalidRequest' || !says) return undefined;
  return [
    `The bucket ${asked.bucket} cannot lock objects: it was created without Object Lock`,
    'Leave out `object-lock`, or use a bucket with Object Lock: it can be switched on where versioning is.',
  ];
}

function ofPermission(
  error: SdkFailure,
  name: string,
  status: number | undefined,
  asked: Asked,
): Explanation | undefined {
  if (name !== 'AccessDenied' && status !== 403) return undefined;
  const resource = `arn:aws:s3:::${asked.bucket}${asked.key === undefined ? '' : `/${asked.key}`}`;
  const words = saidBy(error);
  return [
    `S3 denied ${asked.action} on ${resource}${words ? `: ${words}` : ''}`,
    `Allow ${asked.action} on ${resource} in the IAM policy of the role, and look for a bucket policy that denies it.`,
  ];
}

function ofObject(name: string, status: number | undefined, asked: Asked): Explanation | undefined {
  if (name === 'NoSuchBucket' || (status === 404 && asked.key === undefined)) {
    return [
      `There is no bucket ${asked.bucket}`,
      'Check `s3-bucket`, and `s3-endpoint` or `aws-region`: the bucket may be elsewhere.',
    ];
  }
  if (isNotFound({ name })) {
    return [
      `There is no object ${place(asked)}`,
      'Check `s3-prefix`, `customer` and `database`, or list the backups.',
    ];
  }
  switch (name) {
    case 'PreconditionFailed':
    case 'ConditionalRequestConflict':
      return [
        `${place(asked)} exists already`,
        'Another run has just written this key. Do not run two jobs for one database at the same time.',
      ];
    case 'NoSuchUpload':
      return [
        `The unfinished upload of ${place(asked)} was removed by somebody else`,
        'Look for a lifecycle rule or a job that removes unfinished uploads too early.',
      ];
    case 'InvalidObjectState':
      return [
        `${place(asked)} cannot be read at once: its storage class is an archive`,
        'Restore the object first. `storage-class` must be one that can be read at once, such as STANDARD_IA or GLACIER_IR.',
      ];
    case 'InvalidStorageClass':
      return ['The S3 service does not know this storage class', 'Check `storage-class`.'];
    case 'BadDigest':
      return [
        `Bytes of ${place(asked)} changed on their way (BadDigest)`,
        'Nothing was kept. Run the backup again; if it fails the same way, look for a proxy in between.',
      ];
    case 'QuotaExceeded':
      return [
        `The quota of the bucket ${asked.bucket} is used up (QuotaExceeded)`,
        'Delete old backups or raise the quota.',
      ];
  }
  return undefined;
}

function ofServer(error: SdkFailure, status: number | undefined, asked: Asked): Explanation | undefined {
  const name = codeOf(error);
  if (name === 'SlowDown' || status === 429) {
    return [
      `The S3 service asks to slow down (${name ?? `HTTP ${status}`})`,
      `${askedAgain(error)} Let fewer backups run at once.`,
    ];
  }
  if (status !== undefined && status >= 500) {
    return [
      `The S3 service failed with HTTP ${status}${name ? ` (${name})` : ''} on ${asked.action} of ${place(asked)}`,
      status === 501
        ? 'It does not support this request.'
        : `${askedAgain(error)} Look at the status of the service, then run this again.`,
    ];
  }
  return undefined;
}

/** `: SlowDown: Please wait`, as far as it was said. */
function said(error: SdkFailure): string {
  const words = [codeOf(error), saidBy(error)].filter(Boolean).join(': ');
  return words === '' ? '' : `: ${words}`;
}

function place({ bucket, key }: Asked): string {
  return key === undefined ? `the bucket ${bucket}` : `s3://${bucket}/${key}`;
}
