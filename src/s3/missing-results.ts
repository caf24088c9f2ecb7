/** Fields of the results of requests that write. */
interface WriteResult {
  readonly UploadId?: string;
  readonly CopyPartResult?: { readonly ETag?: string };
  readonly Bucket?: string;
  readonly ETag?: string;
  readonly Location?: string;
}

/** Whether an answer is the result of the request: it has at least one of the fields that an error does not have. */
const IS_RESULT: Readonly<Record<string, (answer: WriteResult) => boolean>> = {
  PutObjectCommand: ({ ETag }) => ETag !== undefined,
  CreateMultipartUploadCommand: ({ UploadId }) => UploadId !== undefined,
  UploadPartCommand: ({ ETag }) => ETag !== undefined,
  UploadPartCopyCommand: ({ CopyPartResult }) => CopyPartResult?.ETag !== undefined,
  CompleteMultipartUploadCommand: ({ Bucket, ETag, Location }) => (Bucket ?? ETag ?? Location) !== undefined,
};

/**
 * Marks an answer without a result as an error that passes, inside of what repeats requests. S3 says 200 before it copies
 * a part or makes an object, and what follows may be an error:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html. The SDK sees that only where nothing
 * stands behind the error, not even a line break, and takes anything else for a result: of any request that writes, also the
 * page of a proxy.
 */
export const repeatingMissingResults =
  <Input, Output extends { readonly output: object }>(
    next: (args: Input) => Promise<Output>,
    { commandName = '' }: { readonly commandName?: string },
  ) =>
  async (args: Input): Promise<Output> => {
    const answer = await next(args);
    const isResult = IS_RESULT[commandName];
    if (!isResult || isResult(answer.output)) return answer;
    const request = commandName.replace(/Command$/, '');
    throw Object.assign(new Error(request), { name: 'NoResult', $retryable: {} });
  };
