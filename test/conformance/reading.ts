import { inParallel } from '../../src/util/in-parallel.ts';
import { bytesOf, MiB, send } from '../support/test-bucket.ts';
import { refusedBy } from './answers.ts';
import type { Check } from './check.ts';

/** More than a page of S3's, and not much more. */
const OBJECTS = 1005;
const WIDTH = 16;

/** How backups are found, and read. */
export const reading: readonly Check[] = [
  {
    id: 'ranges',
    title: 'returns exactly the requested byte range',
    required: true,
    uses: 'directories of archives and single files are read without the rest',
    otherwise: 'no backup can be verified there',
    async run({ store, key }) {
      const bytes = bytesOf(2 * MiB);
      await send(store, key('ranges'), bytes);
      const reader = await store.range(key('ranges'));
      const middle = await reader.read(MiB - 7, 4096);
      const past = await reader.read(bytes.length - 1, 2).catch(String);
      return {
        holds: middle.equals(bytes.subarray(MiB - 7, MiB + 4089)) && / gave 1 bytes/.test(String(past)),
      };
    },
  },
  {
    id: 'paging',
    title: `lists more than 1,000 objects, in order of their names`,
    required: true,
    uses: 'the newest backup is found, however many there are',
    otherwise: 'the wrong backup could be taken for the newest',
    async run({ store, key }) {
      const keys = Array.from({ length: OBJECTS }, (_, index) =>
        key(`paging/${String(index).padStart(5, '0')}`),
      );
      await inParallel(keys, WIDTH, (each) => store.putJson(each, {}));
      const listed: string[] = [];
      for await (const object of store.list(key('paging/'))) listed.push(object.key);
      const same = listed.length === keys.length && listed.every((each, index) => each === keys[index]);
      return { holds: same, detail: `${listed.length} of ${OBJECTS}` };
    },
  },
  {
    id: 'receipt',
    title: 'shows new content of a small object immediately',
    required: true,
    uses: 'a receipt says how far its archive is proven',
    otherwise: 'an outdated receipt could be believed',
    async run({ store, key }) {
      for (let proofs = 1; proofs <= 10; proofs += 1) {
        await store.putJson(key('receipt.json'), { proofs });
        const { value } = await store.getTaggedJson(key('receipt.json'));
        if ((value as { proofs: number }).proofs !== proofs) return { holds: false };
      }
      await store.delete(key('receipt.json'));
      return { holds: (await store.head(key('receipt.json'))) === undefined };
    },
  },
  {
    id: 'put-if-match',
    title: 'replaces a small object only if it has not changed (If-Match)',
    uses: 'two verifications at the same time keep each other’s proofs in the receipt',
    otherwise: 'of two verifications at the same time, one result may get lost',
    async run({ store, key }) {
      const receipt = key('put-if-match.json');
      await store.putJson(receipt, 1);
      const { etag } = await store.getTaggedJson(receipt);
      await store.putJson(receipt, 2, etag);
      return refusedBy(store.putJson(receipt, 3, etag), 412, 409);
    },
  },
];
