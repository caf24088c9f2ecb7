import { PutBucketVersioningCommand } from '@aws-sdk/client-s3';
import { lockOf } from '../../src/s3/held-objects.ts';
import type { Store } from '../../src/s3/store.ts';
import { keepsVersions, listVersions, removeVersions } from '../../src/s3/versions.ts';
import { bytesOf, send } from '../support/test-bucket.ts';
import { refusedBy } from './answers.ts';
import type { Answer, Check, Probe } from './check.ts';

const LOCK = { mode: 'GOVERNANCE', days: 1 } as const;

/** How backups are kept, or not. */
export const keeping: readonly Check[] = [
  {
    id: 'versions',
    title: 'keeps deleted objects as versions, and can list and remove them',
    uses: 'prune removes the versions as well',
    otherwise: 'what prune deletes is gone at once',
    run: (probe) =>
      inOwnBucket(probe, false, async (store) => {
        const { bucket: Bucket } = store.options;
        const VersioningConfiguration = { Status: 'Enabled' } as const;
        await store.client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
        if (!(await keepsVersions(store))) return { holds: false };
        for (const version of [1, 2]) await store.putJson('versions', version);
        await store.delete('versions');
        const kept = await listVersions(store, 'versions');
        await removeVersions(store, 'versions');
        return { holds: kept.length === 3 && (await listVersions(store, 'versions')).length === 0 };
      }),
  },
  {
    id: 'lock',
    title: 'locks objects against deletion (Object Lock)',
    uses: '`object-lock` keeps archives and receipts for `lock-days`, whoever holds the keys',
    otherwise: '`object-lock` cannot be used',
    run: (probe) =>
      inOwnBucket(probe, true, async (made) => {
        const store = probe.open({ bucket: made.options.bucket, lock: LOCK });
        await send(store, 'lock', bytesOf(1));
        if (!/Object Lock until/.test((await lockOf(store, 'lock')) ?? '')) return { holds: false };
        await store.delete('lock'); // hides it
        const removed = await refusedBy(removeVersions(store, 'lock'), 403);
        const left = await listVersions(store, 'lock');
        return { holds: removed.holds && left.some(({ isMarker }) => !isMarker), detail: removed.detail };
      }),
  },
  {
    id: 'sse-s3',
    title: 'encrypts objects with its own keys (SSE-S3)',
    uses: '`sse: AES256` can be asked for',
    otherwise: '`sse: AES256` cannot be used',
    async run({ open, key }) {
      const store = open({ encryption: { kind: 'AES256' } });
      await send(store, key('sse-s3'), bytesOf(1));
      return { holds: (await store.head(key('sse-s3')))?.encryption === 'AES256' };
    },
  },
  {
    id: 'storage-class',
    title: 'has the storage class STANDARD_IA',
    uses: '`storage-class: STANDARD_IA` can be asked for',
    otherwise: 'ask the provider which classes there are, or leave `storage-class` out',
    async run({ open, key }) {
      const store = open({ storageClass: 'STANDARD_IA' });
      await send(store, key('storage-class'), bytesOf(1));
      return { holds: (await store.head(key('storage-class')))?.storageClass === 'STANDARD_IA' };
    },
  },
];

/** A bucket that was given is not changed, and no other is made beside it. */
async function inOwnBucket(
  { ownBuckets, makeBucket }: Probe,
  locks: boolean,
  run: (store: Store) => Promise<Answer>,
): Promise<Answer> {
  if (!ownBuckets) return { holds: undefined, detail: 'leave --bucket out to find out' };
  return run(await makeBucket({ locks }));
}
