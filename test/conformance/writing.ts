import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { verifyUpload } from '../../src/backup/verify-upload.ts';
import type { Store } from '../../src/s3/store.ts';
import { sweepUnfinished } from '../../src/s3/unfinished-uploads.ts';
import { bytesOf, chunksOf, MiB, partSize, send, sendLanes, tool } from '../support/test-bucket.ts';
import { refusedBy } from './answers.ts';
import type { Check } from './check.ts';

const HOUR_MS = 3_600_000;

/** How backups get there, whole, and without taking the place of another. */
export const writing: readonly Check[] = [
  {
    id: 'upload',
    title: 'accepts a multipart upload, and returns it byte for byte',
    required: true,
    uses: 'every archive is one multipart upload, visible only when it is complete',
    otherwise: 'no backup can be made there',
    async run({ store, key }) {
      const bytes = bytesOf(2 * partSize + 1);
      const uploaded = await send(store, key('upload'), bytes);
      const length = 64 * 1024;
      const md5 = createHash('md5').update(bytes.subarray(-length)).digest('hex');
      const directory = { offset: bytes.length - length, length, entries: 1, md5 };
      await verifyUpload(store, uploaded, { directory, segments: [] }, tool);
      const same = bytes.equals(await store.read(key('upload'), 0, bytes.length));
      return { holds: same && uploaded.parts === 3, detail: `${uploaded.parts} parts` };
    },
  },
  {
    id: 'part-gaps',
    title: 'accepts gaps between part numbers',
    uses: 'dumps and filestore are sent at the same time, each under numbers of its own',
    otherwise: 'they are sent one after another; the server is asked once, and the receipt remembers',
    async run({ store, key }) {
      const bodies = [partSize + 1, partSize + 2, 3].map(bytesOf);
      const lanes = bodies.map((body) => ({ body: Readable.from(chunksOf(body)), mostBytes: body.length }));
      const uploaded = await sendLanes(store, key('part-gaps'), lanes);
      const whole = Buffer.concat(bodies);
      const same = whole.equals(await store.read(key('part-gaps'), 0, whole.length));
      return { holds: same && uploaded.parts === 3 };
    },
  },
  {
    id: 'part-md5',
    title: 'reports the MD5 of each part as its ETag',
    uses: 'it is compared with what was sent',
    otherwise: 'each part is sent with its MD5, for the server to check (SSE-KMS)',
    async run({ store, key }) {
      const { proof } = await send(store, key('part-md5'), bytesOf(partSize + 1));
      return { holds: proof === 'md5' };
    },
  },
  {
    id: 'content-md5',
    title: 'refuses a part with a wrong Content-MD5',
    uses: 'every part and receipt is sent with it',
    otherwise: 'it is sent, and not relied on',
    run: ({ store, key }) =>
      withUpload(store, key('content-md5'), (ids) => {
        const ContentMD5 = createHash('md5').update('other bytes').digest('base64');
        const part = new UploadPartCommand({ ...ids, PartNumber: 1, Body: bytesOf(1024), ContentMD5 });
        return refusedBy(store.client.send(part), 400);
      }),
  },
  {
    id: 'complete-if-none-match',
    title: 'refuses to complete an upload over an existing object (If-None-Match: *)',
    uses: 'a backup never takes the place of another',
    otherwise: 'the program looks whether the key is free before it uploads',
    async run({ store, key }) {
      const Key = key('complete-if-none-match');
      await send(store, Key, bytesOf(1));
      return withUpload(store, Key, async (ids) => {
        const { ETag } = await store.client.send(
          new UploadPartCommand({ ...ids, PartNumber: 1, Body: bytesOf(1024) }),
        );
        const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
        const command = new CompleteMultipartUploadCommand({ ...ids, IfNoneMatch: '*', MultipartUpload });
        return refusedBy(store.client.send(command), 412, 409);
      });
    },
  },
  {
    id: 'put-if-none-match',
    title: 'refuses to overwrite a small object (If-None-Match: *)',
    uses: 'as above, for archives of one part',
    otherwise: 'as above',
    async run({ store, key }) {
      const Key = key('put-if-none-match');
      await send(store, Key, bytesOf(1));
      const { bucket: Bucket } = store.options;
      const command = new PutObjectCommand({ Bucket, Key, Body: bytesOf(2), IfNoneMatch: '*' });
      return refusedBy(store.client.send(command), 412, 409);
    },
  },
  {
    id: 'smallest-part',
    title: 'refuses parts under 5 MiB, except the last',
    uses: 'none is made anywhere: parts have 8 MiB, copies 5 MiB and more',
    otherwise: 'none is made anywhere',
    run: ({ store, key }) =>
      withUpload(store, key('smallest-part'), async (ids) => {
        const parts = [];
        for (const PartNumber of [1, 2]) {
          const part = new UploadPartCommand({ ...ids, PartNumber, Body: bytesOf(MiB) });
          parts.push({ PartNumber, ETag: (await store.client.send(part)).ETag });
        }
        const MultipartUpload = { Parts: parts };
        return refusedBy(
          store.client.send(new CompleteMultipartUploadCommand({ ...ids, MultipartUpload })),
          400,
        );
      }),
  },
  {
    id: 'abort',
    title: 'removes the parts of an aborted upload',
    uses: 'a failed backup leaves nothing',
    otherwise: 'a warning says what was left: set a lifecycle rule',
    async run({ store, key }) {
      let left: string | undefined;
      const onLeftBehind = ({ message }: Error) => {
        left = message;
      };
      const broken = async function* () {
        yield* chunksOf(bytesOf(2 * partSize));
        throw new Error('on purpose');
      };
      const failed = await send(store, key('abort'), Readable.from(broken()), { onLeftBehind }).catch(String);
      if (failed !== 'Error: on purpose') return { holds: false, detail: String(failed) };
      return { holds: left === undefined && !(await store.head(key('abort'))), detail: left };
    },
  },
  {
    id: 'unfinished',
    title: 'lists unfinished uploads',
    uses: 'what killed runs have left is removed by the next one',
    otherwise: 'it stays and costs: set a lifecycle rule that removes incomplete uploads',
    run: ({ store, key }) =>
      withUpload(store, key('unfinished/a'), async (ids) => {
        await store.client.send(new UploadPartCommand({ ...ids, PartNumber: 1, Body: bytesOf(1024) }));
        const sweep = () => sweepUnfinished(store, key('unfinished/'), -HOUR_MS); // its clock may be ahead
        const swept = await sweep();
        if (!swept) return { holds: false };
        return { holds: swept.length === 1 && (await sweep())?.length === 0 };
      }),
  },
  {
    id: 'metadata',
    title: 'keeps the metadata of an object, in any script',
    uses: 'database, version and commit are there to see with the archive',
    otherwise: 'the receipt has them too',
    async run({ store, key }) {
      const text = 'Größe 100 %, 北京';
      await send(store, key('metadata'), bytesOf(1), { metadata: { 'odoo-test': text } });
      const kept = (await store.head(key('metadata')))?.metadata['odoo-test'];
      return { holds: kept !== undefined && decodeURIComponent(kept) === text };
    },
  },
];

interface UploadIds {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string;
}

/** Begins a multipart upload by hand. Whatever comes of it, nothing of it stays. */
async function withUpload<T>(store: Store, Key: string, use: (ids: UploadIds) => Promise<T>): Promise<T> {
  const place = { Bucket: store.options.bucket, Key };
  const { UploadId = '' } = await store.client.send(
    new CreateMultipartUploadCommand({ ...place, ...store.encryption() }),
  );
  const ids = { ...place, UploadId };
  try {
    return await use(ids);
  } finally {
    await store.client.send(new AbortMultipartUploadCommand(ids)).catch(() => {}); // completed after all
  }
}
