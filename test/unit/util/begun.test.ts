import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ahead, allEnded, inOrder } from '../../../src/util/begun.ts';

suite('several tasks that were begun at once', () => {
  test('give what each gives', async () => {
    assert.deepEqual(await inOrder(Promise.resolve(1), Promise.resolve('two')), [1, 'two']);
    assert.deepEqual(await inOrder(), []);
  });

  test('fail with the first failure in their order, whichever came first', async () => {
    const slow = Promise.withResolvers<never>();
    const failed = inOrder(slow.promise, Promise.reject(new Error('quick')));
    await Promise.resolve();
    slow.reject(new Error('slow'));
    await assert.rejects(failed, /slow/);
  });
});

suite('something that was begun ahead', () => {
  const closing = () => {
    const closed: string[] = [];
    return { closed, opened: { [Symbol.asyncDispose]: async () => void closed.push('it') } };
  };

  test('is closed by who has taken it', async () => {
    const { closed, opened } = closing();
    {
      await using begun = ahead(async () => opened);
      assert.equal(await begun.take(), opened);
    }
    assert.deepEqual(closed, []);
  });

  test('is given up and closed where nobody has', async () => {
    const { closed, opened } = closing();
    let isGivenUp = false;
    {
      await using _ = ahead(async (givenUp) => {
        givenUp.addEventListener('abort', () => {
          isGivenUp = true;
        });
        return opened;
      });
    }
    assert.deepEqual([closed, isGivenUp], [['it'], true]);
  });

  test('may fail: who takes it is told, and nobody else', async () => {
    const fail = async () => {
      throw new Error('no');
    };
    {
      await using _ = ahead(fail);
    }
    await assert.rejects(ahead(fail).take(), /no/);
  });
});

test('all have ended before the first failure, in their order, is thrown', async () => {
  const [slow, quick] = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  const ended = allEnded(slow.promise, quick.promise);
  let isEnded = false;
  const watched = ended.finally(() => {
    isEnded = true;
  });
  quick.reject(new Error('second'));
  await assert.rejects(quick.promise);
  await new Promise(setImmediate);
  assert.equal(isEnded, false, 'one of them goes on');
  slow.reject(new Error('first'));
  await assert.rejects(watched, { message: 'first' });
  assert.deepEqual(await allEnded(Promise.resolve(1), Promise.resolve('a')), [1, 'a']);
});
