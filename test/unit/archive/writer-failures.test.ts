import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { test } from 'node:test';
import { ArchiveWriter } from '../../../src/archive/writer.ts';

const MiB = 2 ** 20;
const modified = new Date('2026-03-04T05:06:08Z');
const stored = { deflate: false, modified };
const text = Buffer.from('some text');

test('names that a zip cannot have as they are end the archive', async () => {
  for (const name of [
    '',
    '/etc/passwd',
    '../x',
    'a/../b',
    './a',
    'a//b',
    'a/',
    'C:x',
    'a\\b',
    'a\0b',
    '\ud800',
    'x'.repeat(65_536),
  ]) {
    await using writer = new ArchiveWriter({ level: 1 });
    writer.output.resume();
    await writer.begin('filestore');
    await assert.rejects(writer.add(name, text, stored), /cannot be the name/);
    await assert.rejects(writer.finish(), /cannot be the name/);
  }
});

test('calls in the wrong order are refused', async () => {
  {
    await using writer = new ArchiveWriter({ level: 1 });
    await assert.rejects(writer.add('x', text, stored), /begin\(\) comes before/);
  }
  const writer = new ArchiveWriter({ level: 1 });
  writer.output.resume();
  await writer.begin('filestore');
  const first = writer.add('x', text, stored);
  await assert.rejects(writer.add('y', text, stored), /busy/);
  await first;
  await writer.finish();
  await assert.rejects(writer.add('z', text, stored), /finished/);
  await assert.rejects(writer.finish(), /finished/);
  assert.throws(() => writer.drop('x'), /finished/);
});

/** A source that gives `chunks` chunks of 64 KiB and then does nothing more. */
function stalling(chunks: number): Readable & { given: number } {
  const source = Object.assign(
    new Readable({
      read() {
        if (source.given < chunks) {
          source.given += 1;
          this.push(Buffer.alloc(65_536));
        }
      },
    }),
    { given: 0 },
  );
  return source;
}

for (const deflate of [false, true]) {
  const how = deflate ? 'deflated' : 'stored';

  test(`a source that fails ends everything with its error (${how})`, async () => {
    const cause = new Error('the disk is on fire');
    const writer = new ArchiveWriter({ level: 1 });
    const output = assert.rejects(writer.output.toArray(), cause);
    await writer.begin('filestore');
    await writer.add('fine', text, { deflate, modified });
    const source = stalling(40);
    const adding = assert.rejects(writer.add('bad', source, { deflate, modified }), cause);
    setImmediate(() => source.destroy(cause));
    await Promise.all([adding, output]);
    await assert.rejects(writer.add('more', text, stored), cause);
    await assert.rejects(writer.begin('description'), cause);
    await assert.rejects(writer.finish(), cause);
  });

  test(`a reader that fails ends everything with its error (${how})`, async () => {
    const cause = new Error('the upload broke');
    const writer = new ArchiveWriter({ level: 1 });
    writer.output.resume();
    await writer.begin('filestore');
    const source = stalling(3);
    const adding = assert.rejects(writer.add('slow', source, { deflate, modified }), cause);
    setImmediate(() => writer.output.destroy(cause));
    await adding;
    assert.equal(source.destroyed, true);
    assert.equal(source.errored, cause);
    await assert.rejects(writer.finish(), cause);
  });
}

test('a source that is gone before it is added, or ends without a word, is an error too', async () => {
  const cause = new Error('gone before');
  const failed = new PassThrough();
  failed.on('error', () => {}).destroy(cause);
  await new Promise(setImmediate);
  const closed = new PassThrough().destroy();
  await new Promise(setImmediate);
  for (const [source, expected] of [
    [failed, cause],
    [closed, /gone before/],
    [stalling(1), { code: 'ERR_STREAM_PREMATURE_CLOSE' }],
  ] as const) {
    await using writer = new ArchiveWriter({ level: 1 });
    writer.output.resume();
    await writer.begin('filestore');
    setImmediate(() => source.destroy());
    await assert.rejects(writer.add('x', source, stored), expected);
  }
});

test('a reader that leaves without a word ends everything, while it is awaited or not', async () => {
  const gone = /reader went away/;
  {
    const writer = new ArchiveWriter({ level: 1 });
    await writer.begin('filestore');
    // More than everything on the way holds: waits for its reader.
    const adding = assert.rejects(writer.add('large', stalling(1000), stored), gone);
    await once(writer.output, 'readable');
    writer.output.destroy();
    await adding;
  }
  const writer = new ArchiveWriter({ level: 1 });
  await writer.begin('filestore');
  writer.output.destroy();
  const source = stalling(10);
  await assert.rejects(writer.add('x', source, stored), gone);
  assert.equal(source.destroyed, true);
});

test('giving up destroys the output; after finish() it changes nothing', async () => {
  const writer = new ArchiveWriter({ level: 1 });
  const output = assert.rejects(writer.output.toArray(), /given up/);
  await writer.begin('filestore');
  await writer.add('x', text, stored);
  await writer[Symbol.asyncDispose]();
  await output;
  await assert.rejects(writer.finish(), /given up/);

  const finished = new ArchiveWriter({ level: 1 });
  await finished.finish();
  await finished[Symbol.asyncDispose]();
  assert.equal(Buffer.concat(await finished.output.toArray()).length, 22);
});

test('where nobody reads, little is taken from a stream, and few buffers', async () => {
  {
    await using writer = new ArchiveWriter({ level: 1 });
    await writer.begin('filestore');
    const source = stalling(10_000);
    const adding = assert.rejects(writer.add('large', source, stored));
    let before = -1;
    while (source.given > before) {
      before = source.given;
      for (let i = 0; i < 50; i++) await new Promise(setImmediate);
    }
    assert.ok(source.given * 65_536 < 8 * MiB, `${source.given} chunks`);
    source.destroy();
    await adding;
  }
  await using writer = new ArchiveWriter({ level: 1 });
  await writer.begin('filestore');
  let added = 0;
  const adding = assert.rejects(async () => {
    for (; ; added++) await writer.add(`${added}`, Buffer.alloc(MiB / 4), stored);
  }, /given up/);
  let before = -1;
  while (added > before) {
    before = added;
    for (let i = 0; i < 50; i++) await new Promise(setImmediate);
  }
  assert.ok(added / 4 < 8, `${added} buffers`);
  await writer[Symbol.asyncDispose]();
  await adding;
});
