import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { suite, test } from 'node:test';
import { tarEntries } from '../../../src/host/tar.ts';
import { type IncomingFile, tarOf } from '../../../src/host/tar-writer.ts';

const tarred = (...files: IncomingFile[]) => buffer(Readable.from(tarOf(Readable.from(files))));
const file = (name: string, content: Buffer): IncomingFile => ({ name, size: content.length, content });

suite('a tar', () => {
  for (const size of [0, 1, 511, 512, 513, 100_000]) {
    for (const name of ['ab/c', `ab/${'ü'.repeat(60)}`, 'n'.repeat(100), `${'d/'.repeat(300)}f`]) {
      test(`of ${size} bytes in ${name.slice(0, 8)}… (${name.length}) reads back`, async () => {
        const content = Buffer.alloc(size, 'x');
        const tar = await tarred(file(name, content), file('next', Buffer.from('one')));
        assert.equal(tar.length % 512, 0);
        const read = [];
        for await (const entry of tarEntries(Readable.from([tar]))) {
          read.push({ name: entry.name, content: await buffer(entry.content) });
        }
        assert.deepEqual(read, [
          { name, content },
          { name: 'next', content: Buffer.from('one') },
        ]);
      });
    }
  }

  test('says sizes from 8 GiB on', async () => {
    for (const size of [8 ** 11 - 1, 8 ** 11, 2 ** 43]) {
      const content = Readable.from([Buffer.alloc(1)]);
      const tar = tarOf(Readable.from([{ name: 'big', size, content }]));
      const { value: header } = await tar.next();
      await tar.return(undefined);
      const entries = tarEntries(Readable.from([header]));
      const { value } = await entries.next();
      assert.equal(value?.size, size);
      await entries.return(undefined);
    }
  });

  for (const size of [2, 4]) {
    test(`of 3 bytes, said to be ${size}, fails`, async () => {
      await assert.rejects(tarred({ name: 'a', size, content: Buffer.from('abc') }), RangeError);
    });
  }

  for (const name of ['../out', '/etc/passwd', 'a/../../out', 'a//b', 'a/', '.', '', 'a\0b']) {
    test(`refuses the name ${JSON.stringify(name)}`, async () => {
      await assert.rejects(tarred(file(name, Buffer.from('x'))), TypeError);
    });
  }

  test('fails with the error of a content', async () => {
    const broken = new Error('the bucket is gone');
    async function* content(): AsyncGenerator<Buffer> {
      yield Buffer.from('a');
      throw broken;
    }
    await assert.rejects(tarred({ name: 'a', size: 2, content: content() }), broken);
  });

  test('whose reader leaves reads no more, and ends what it was reading', async () => {
    const ended = Promise.withResolvers<void>();
    async function* content(): AsyncGenerator<Buffer> {
      try {
        for (;;) yield Buffer.alloc(65_536);
      } finally {
        ended.resolve();
      }
    }
    const tar = tarOf(Readable.from([{ name: 'a', size: 2 ** 40, content: content() }]));
    await tar.next();
    await tar.next();
    await tar.return(undefined);
    await ended.promise;
  });
});
