/** The fields of the SDK's errors and of Node's that tell what happened. All may be missing. */
export interface Failure {
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
  readonly Region?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

export function failure(error: unknown): Failure {
  return typeof error === 'object' && error !== null ? error : {};
}

/** S3's code for an error, such as `NoSuchKey`. */
export function errorName(error: unknown): string | undefined {
  return failure(error).name;
}

/** How often the SDK sent the request. */
export function attemptsOf(error: unknown): number {
  return failure(error).$metadata?.attempts ?? 1;
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

/** What happened, and what to do about it. */
export type Explanation = readonly [message: string, hint: string];
