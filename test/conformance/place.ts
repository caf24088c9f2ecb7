import { randomBytes } from 'node:crypto';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
} from '@aws-sdk/client-s3';
import { errorName } from '../../src/s3/sdk-errors.ts';
import { Store, type StoreOptions } from '../../src/s3/store.ts';
import { sweepUnfinished } from '../../src/s3/unfinished-uploads.ts';
import { messageOf, UserError } from '../../src/util/errors.ts';
import { inParallel } from '../../src/util/in-parallel.ts';
import type { Probe } from './check.ts';

export interface PlaceOptions extends Omit<StoreOptions, 'bucket' | 'prefix'> {
  /** Left out: one is made, and removed at the end. */
  readonly bucket?: string | undefined;
}

const WIDTH = 16;
const HOUR_MS = 3_600_000;

/**
 * A folder of a bucket, or a bucket, that holds nothing but what checks put there. Disposing of it removes all of that.
 *
 * @throws UserError when the server cannot be reached, or refuses the credentials
 */
export async function openPlace({ bucket, ...options }: PlaceOptions): Promise<Probe & AsyncDisposable> {
  const ownBuckets = bucket === undefined;
  const prefix = `odoo-backup-test-${randomBytes(6).toString('hex')}/`;
  const stores: Store[] = [];
  const made: Store[] = [];
  const add = (more: Partial<StoreOptions>): Store => {
    const store = new Store({ ...options, bucket: '', prefix, ...more });
    stores.push(store);
    return store;
  };
  const makeBucket = async ({ locks }: { readonly locks: boolean }): Promise<Store> => {
    const store = add({ bucket: newBucketName() });
    const command = new CreateBucketCommand({
      Bucket: store.options.bucket,
      ObjectLockEnabledForBucket: locks || undefined,
      CreateBucketConfiguration: locationOf(options),
    });
    await store.client.send(command).catch((cause) => {
      if (errorName(cause) !== 'AccessDenied') throw store.error(cause, { action: 's3:PutObject' });
      throw new UserError('The key may not make buckets', 'Name one that is there: --bucket.', { cause });
    });
    made.push(store);
    return store;
  };
  const home = bucket ?? (await makeBucket({ locks: false })).options.bucket;
  const store = add({ bucket: home });
  await store.check(prefix);
  return {
    store,
    ownBuckets,
    open: (more) => add({ bucket: home, ...more }),
    makeBucket,
    key: (name) => `${prefix}${name}`,
    async [Symbol.asyncDispose]() {
      const failures: unknown[] = [];
      const attempt = (action: Promise<unknown>) => action.catch((error) => failures.push(error));
      await attempt(empty(store, prefix));
      for (const own of made) await attempt(empty(own, '').then(() => removeBucket(own)));
      for (const each of stores) each[Symbol.dispose]();
      if (failures.length > 0)
        throw new AggregateError(
          failures,
          `Something was left under ${store.uri(prefix)}: ${failures.map(messageOf).join('; ')}`,
        );
    },
  };
}

const newBucketName = (): string => `odoo-backup-test-${randomBytes(6).toString('hex')}`;

/**
 * Amazon wants its region repeated, but for the first one:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
 */
function locationOf({ endpoint, region }: Pick<StoreOptions, 'endpoint' | 'region'>) {
  const isAmazon = !endpoint || /\.amazonaws\.com\b/.test(endpoint);
  return isAmazon && region && region !== 'us-east-1'
    ? { LocationConstraint: region as 'eu-west-1' }
    : undefined;
}

async function empty(store: Store, prefix: string): Promise<void> {
  await sweepUnfinished(store, prefix, -HOUR_MS); // the server's clock may be ahead
  // A page at a time, always the first: a server may be unable to page.
  const first = new ListObjectsV2Command({ Bucket: store.options.bucket, Prefix: prefix });
  for (let before = ''; ; ) {
    const { Contents = [] } = await store.client.send(first);
    const keys = Contents.flatMap(({ Key }) => (Key?.startsWith(prefix) ? [Key] : []));
    if (keys.length === 0) break;
    if (keys[0] === before) throw new Error(`${store.uri(before)} cannot be deleted`);
    before = keys[0] ?? '';
    await inParallel(keys, WIDTH, (key) => store.delete(key));
  }
  await removeAllVersions(store, prefix);
}

/** Also what a governance lock holds. Servers without versions have no such list. */
async function removeAllVersions({ client, options }: Store, prefix: string): Promise<void> {
  const input: ListObjectVersionsCommand['input'] = { Bucket: options.bucket, Prefix: prefix };
  for (;;) {
    const page = await client.send(new ListObjectVersionsCommand(input)).catch(() => undefined);
    for (const { Key, VersionId } of [...(page?.Versions ?? []), ...(page?.DeleteMarkers ?? [])]) {
      if (!Key?.startsWith(prefix) || VersionId === undefined) continue;
      const version = { Bucket: options.bucket, Key, VersionId };
      await client
        .send(new DeleteObjectCommand(version))
        .catch(() => client.send(new DeleteObjectCommand({ ...version, BypassGovernanceRetention: true })));
    }
    if (!page?.IsTruncated || !page.NextKeyMarker) return;
    input.KeyMarker = page.NextKeyMarker;
    input.VersionIdMarker = page.NextVersionIdMarker;
  }
}

async function removeBucket({ client, options }: Store): Promise<void> {
  await client.send(new DeleteBucketCommand({ Bucket: options.bucket }));
}
