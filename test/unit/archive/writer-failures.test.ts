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
    const filestore = writer.segment('filestore');
    filestore.output.resume();
    await assert.rejects(filestore.add(name, text, stored), /cannot be the name/);
    await assert.rejects(writer.finish(), /cannot be the name/);
  }
});

test('calls in the wrong order are refused', async () => {
  const writer = new ArchiveWriter({ level: 1 });
  const filestore = writer.segment('filestore');
  filestore.output.resume();
  writer.directory.resume();
  const first = filestore.add('x', text, stored);
  await assert.rejects(filestore.add('y', text, stored), /busy/);
  await first;
  await writer.finish();

  const other = new ArchiveWriter({ level: 1 });
  const ended = other.segment('filestore');
  ended.output.resume();
  other.directory.resume();
  assert.throws(() => ended.units, /has not ended/);
  await ended.add('x', text, stored);
  await ended.end();
  assert.throws(() => ended.drop('x'), /ended/);
  await ended.end();
  await other.finish();
  await assert.rejects(ended.add('z', text, stored), /ended/);
  await assert.rejects(other.finish(), /finished/);
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
    const filestore = writer.segment('filestore');
    const output = assert.rejects(filestore.output.toArray(), cause);
    await filestore.add('fine', text, { deflate, modified });
    const source = stalling(40);
    const adding = assert.rejects(filestore.add('bad', source, { deflate, modified }), cause);
    setImmediate(() => source.destroy(cause));
    await Promise.all([adding, output]);
    await assert.rejects(filestore.add('more', text, stored), cause);
    await assert.rejects(filestore.end(), cause);
    await assert.rejects(writer.finish(), cause);
  });

  test(`a reader that fails ends everything with its error (${how})`, async () => {
    const cause = new Error('the upload broke');
    const writer = new ArchiveWriter({ level: 1 });
    const filestore = writer.segment('filestore');
    filestore.output.resume();
    const source = stalling(3);
    const adding = assert.rejects(filestore.add('slow', source, { deflate, modified }), cause);
    setImmediate(() => filestore.output.destroy(cause));
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
    const filestore = writer.segment('filestore');
    filestore.output.resume();
    setImmediate(() => source.destroy());
    await assert.rejects(filestore.add('x', source, stored), expected);
  }
});

test('a reader that leaves without a word ends everything, while it is awaited or not', async () => {
  const gone = /reader went away/;
  {
    const writer = new ArchiveWriter({ level: 1 });
    const filestore = writer.segment('filestore');
    // More than everything on the way holds: waits for its reader.
    const adding = assert.rejects(filestore.add('large', stalling(1000), stored), gone);
    await once(filestore.output, 'readable');
    filestore.output.destroy();
    await adding;
  }
  const writer = new ArchiveWriter({ level: 1 });
  const filestore = writer.segment('filestore');
  filestore.output.destroy();
  const source = stalling(10);
  await assert.rejects(filestore.add('x', source, stored), gone);
  assert.equal(source.destroyed, true);
});

test('giving up destroys the output; after finish() it changes nothing', async () => {
  const writer = new ArchiveWriter({ level: 1 });
  const filestore = writer.segment('filestore');
  const output = assert.rejects(filestore.output.toArray(), /given up/);
  await filestore.add('x', text, stored);
  await writer[Symbol.asyncDispose]();
  await output;
  await assert.rejects(writer.finish(), /given up/);

  const finished = new ArchiveWriter({ level: 1 });
  await finished.finish();
  await finished[Symbol.asyncDispose]();
  assert.equal(Buffer.concat(await finished.directory.toArray()).length, 22);
});

test('where nobody reads, little is taken from a stream, and few buffers', async () => {
  {
    await using writer = new ArchiveWriter({ level: 1 });
    const filestore = writer.segment('filestore');
    const source = stalling(10_000);
    const adding = assert.rejects(filestore.add('large', source, stored));
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
  const filestore = writer.segment('filestore');
  let added = 0;
  const adding = assert.rejects(async () => {
    for (; ; added++) await filestore.add(`${added}`, Buffer.alloc(MiB / 4), stored);
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

test('a failure of one segment ends the others, and what is told is the first one', async () => {
  const cause = new Error('the disk is on fire');
  for (const how of ['source', 'reader', 'directory'] as const) {
    const writer = new ArchiveWriter({ level: 1 });
    const segments = (['database', 'database', 'filestore'] as const).map((kind) => writer.segment(kind));
    const outputs = [...segments.map(({ output }) => output), writer.directory];
    const ends = outputs.map((output) => new Promise((resolve) => output.once('close', resolve)));
    for (const output of outputs) output.on('error', () => {}).resume();
    const sources = segments.map(() => stalling(3));
    const adding = segments.map((segment, i) => segment.add(`${i}`, sources[i] as Readable, stored));
    const broken = { source: sources[1], reader: segments[1]?.output, directory: writer.directory }[how];
    setImmediate(() => broken?.destroy(cause));
    await Promise.all(adding.map((added) => assert.rejects(added, cause)));
    await Promise.all(ends);
    for (const output of outputs) assert.equal(output.errored, cause);
    for (const source of sources) assert.equal(source.errored, cause);
    await assert.rejects(writer.finish(), cause);
    await assert.rejects(writer.segment('description').add('late', text, stored), cause);
  }
});
