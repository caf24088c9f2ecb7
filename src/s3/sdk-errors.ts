/** The fields of the SDK's errors and of Node's that tell what happened. All may be missing. */
export interface SdkFailure {
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
  /** Why OpenSSL failed, on its errors only. */
  readonly reason?: string;
  /** How a proxy has answered that was asked for a tunnel. */
  readonly statusCode?: number;
  /** For how many seconds a server was asked again that had answered before (`outages.ts`). */
  readonly askedAgainFor?: number;
  /** Path of a file that could not be read. */
  readonly path?: string;
  readonly Region?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

export function failure(error: unknown): SdkFailure {
  return typeof error === 'object' && error !== null ? error : {};
}

/** S3's code for an error, such as `NoSuchKey`. */
export function errorName(error: unknown): string | undefined {
  return failure(error).name;
}

/** Whether the SDK sent the request more than once until this answer, or this error, came. */
export function isRepeated(answered: unknown): boolean {
  return (failure(answered).$metadata?.attempts ?? 1) > 1;
}

/** A request of somebody else for the same object is under way. */
export function isConflict(error: unknown): boolean {
  return ['ConcurrentModification', 'OperationAborted'].includes(errorName(error) ?? '');
}

/** Statuses of proxies, Cloudflare's among them, whose server does not answer; the SDK knows 500, 502, 503 and 504. */
const DOWN: readonly (number | undefined)[] = [520, 521, 522, 523, 524, 530];

/** An error that passes, and that the SDK does not know as such. */
export function passesUnknown(error: unknown): boolean {
  const { code, statusCode = 0, $metadata } = failure(error);
  const noTunnel = code === 'ERR_PROXY_TUNNEL' && statusCode >= 500;
  return noTunnel || isConflict(error) || DOWN.includes($metadata?.httpStatusCode);
}

/** That the server was asked more than once, for people. */
export function askedAgain({ askedAgainFor }: SdkFailure): string {
  return askedAgainFor === undefined
    ? 'It was asked again several times.'
    : `It had answered before, and was asked again for ${askedAgainFor} s.`;
}

/** The object is not there: `NoSuchKey` for GET, and for HEAD, whose answer has no body, `NotFound`. */
export function isNotFound(error: unknown): boolean {
  return ['NoSuchKey', 'NotFound'].includes(errorName(error) ?? '');
}

/** The server does not know this request, or a header of it. */
export function isNotImplemented(error: unknown): boolean {
  return failure(error).$metadata?.httpStatusCode === 501;
}

/** The object is not, or no longer, the one that the request is about. */
export function isPreconditionFailed(error: unknown): boolean {
  return failure(error).$metadata?.httpStatusCode === 412;
}

/** Names that the SDK makes up where an answer has no code of S3. */
const MADE_UP = ['', 'Unknown', 'UnknownError', 'Error', 'SyntaxError'];

/** S3's code; undefined where the answer has none. */
export function codeOf({ name = '' }: SdkFailure): string | undefined {
  return MADE_UP.includes(name) ? undefined : name;
}

/** What the server says beside its code; undefined where that is nothing, or about the SDK itself. */
export function saidBy({ message = '' }: SdkFailure): string | undefined {
  return /^(Unknown|UnknownError|)$|deserializ/i.test(message) ? undefined : message;
}

/**
 * The answer came from something else than an S3 service, such as a proxy or a web page: it has neither a code of S3
 * nor one of the headers that S3 services set.
 */
export function isStranger(error: SdkFailure): boolean {
  const headers = error.$response?.headers;
  if (error.$metadata?.httpStatusCode === undefined || headers === undefined) return false;
  const isS3 =
    Object.keys(headers).some((name) => /^x-amz-/i.test(name)) || /xml/.test(headers['content-type'] ?? '');
  return codeOf(error) === undefined && !isS3;
}

/** The answer is a web page. Of a request without a body in its answer, such as HEAD, that says nothing. */
export const isWebPage = (error: SdkFailure): boolean =>
  /html/i.test(error.$response?.headers?.['content-type'] ?? '');

/** What happened, and what to do about it. */
export type Explanation = readonly [message: string, hint: string];
