import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { type Forked, forked } from '../../../src/backup/forked.ts';

const VALUES = fc.array(
  fc.record({ to: fc.constantFrom('first', 'second', 'both'), value: fc.nat() }) as fc.Arbitrary<
    Forked<number>
  >,
);

async function* from<T>(values: readonly T[], failure?: Error): AsyncGenerator<T> {
  yield* values;
  if (failure) throw failure;
}

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const taken: T[] = [];
  for await (const value of values) taken.push(value);
  return taken;
}

suite('one stream as two', () => {
  test('each reader gets its own values, in their order, whoever reads first', () =>
    fc.assert(
      fc.asyncProperty(
        VALUES,
        fc.integer({ min: 1, max: 5 }),
        fc.scheduler(),
        async (values, most, scheduler) => {
          const { first, second } = forked(scheduledBy(scheduler, from(values)), most);
          const both = Promise.all([all(first), all(second)]);
          const [one, two] = await scheduler.waitFor(both);
          assert.deepEqual(
            one,
            values.filter(({ to }) => to !== 'second').map(({ value }) => value),
          );
          assert.deepEqual(
            two,
            values.filter(({ to }) => to !== 'first').map(({ value }) => value),
          );
        },
      ),
    ));

  test('a reader that is ahead waits for the other', async () => {
    let taken = 0;
    const source = async function* (): AsyncGenerator<Forked<number>> {
      for (; taken < 100; taken++) yield { to: 'both', value: taken };
    };
    const { first, second } = forked(source(), 3);
    const [one, two] = [first[Symbol.asyncIterator](), second[Symbol.asyncIterator]()];
    for (let i = 0; i < 3; i++) assert.equal((await one.next()).value, i);
    const fourth = one.next();
    for (let i = 0; i < 50; i++) await Promise.resolve();
    assert.equal(taken, 2, 'the third value is the last that was taken');
    assert.equal((await two.next()).value, 0);
    assert.equal((await fourth).value, 3);
  });

  test('what the stream throws, both throw, behind what came before', async () => {
    const failure = new Error('the dump has failed');
    const { first, second } = forked(from<Forked<number>>([{ to: 'both', value: 1 }], failure), 4);
    for (const reader of [first, second]) {
      const iterator = reader[Symbol.asyncIterator]();
      assert.equal((await iterator.next()).value, 1);
      await assert.rejects(iterator.next(), failure);
    }
  });

  test('a signal ends one that waits for the other', async () => {
    const { signal, abort } = abortable();
    const values = Array.from({ length: 9 }, (_, value) => ({ to: 'both', value }) as const);
    const { first } = forked(from<Forked<number>>(values), 1, signal);
    const reader = first[Symbol.asyncIterator]();
    assert.equal((await reader.next()).value, 0);
    const second = reader.next();
    const failure = new Error('the archive has failed');
    abort(failure);
    await assert.rejects(second, failure);
  });

  test('a reader that ends early is waited for no more, and the last ends the stream', async () => {
    let ended = false;
    const source = async function* (): AsyncGenerator<Forked<number>> {
      try {
        for (let value = 0; ; value++) yield { to: 'both', value };
      } finally {
        ended = true;
      }
    };
    const { first, second } = forked(source(), 2);
    for await (const value of first) if (value === 1) break;
    assert.equal(ended, false);
    for await (const value of second) if (value === 20) break;
    assert.equal(ended, true);
  });
});

function abortable() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: (reason: Error) => controller.abort(reason) };
}

/** The stream, each value at a moment of the scheduler's choice. */
async function* scheduledBy<T>(scheduler: fc.Scheduler, values: AsyncIterable<T>): AsyncGenerator<T> {
  for await (const value of values) yield await scheduler.schedule(Promise.resolve(value));
}
