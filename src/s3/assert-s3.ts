import { UserError } from '../util/errors.ts';

const LISTING = ['IsTruncated', 'KeyCount', 'MaxKeys', 'MaxUploads', 'Contents'];
const OBJECT = ['ETag', 'LastModified'];

/**
 * Makes sure that an answer is a list of S3's. A web page, which a console or a proxy gives with status 200, has none
 * of the fields that every list has, and would be taken for an empty bucket.
 *
 * @throws UserError that names `s3-endpoint`
 */
export const assertListing = (answer: object, endpoint: string | undefined): void =>
  assertAny(LISTING, answer, endpoint, 'no list of a bucket');

/**
 * Makes sure that an answer is an object of S3: each has an ETag and a time.
 *
 * @throws UserError that names `s3-endpoint`
 */
export const assertObject = (answer: object, endpoint: string | undefined): void =>
  assertAny(OBJECT, answer, endpoint, 'no object of a bucket');

function assertAny(
  fields: readonly string[],
  answer: object,
  endpoint: string | undefined,
  what: string,
): void {
  if (fields.some((field) => (answer as Record<string, unknown>)[field] !== undefined)) return;
  throw new UserError(
    `${endpoint ?? 'Amazon S3'} does not answer like an S3 service: it returned ${what}`,
    'Check `s3-endpoint`: the address of a console or a web page is not that of its S3 API.',
  );
}
