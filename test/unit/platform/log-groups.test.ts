import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogGroups } from '../../../src/platform/log-groups.ts';

/** Groups whose marks are written as words, and a clock that a test moves. */
function groups() {
  const log: string[] = [];
  const clock = { now: 0 };
  const marks = {
    begin: (title: string) => log.push(`begin ${title}`),
    end: () => log.push('end'),
    print: (line: string) => log.push(line),
  };
  return { log, clock, groups: new LogGroups(marks, () => clock.now) };
}

test('a group with several lines is a group', async () => {
  const { log, groups: each } = groups();
  await each.group('Survey', async () => {
    each.say('one');
    each.say('two');
    each.say('three');
  });
  assert.deepEqual(log, ['begin Survey', 'one', 'two', 'three', 'end']);
});

test('with one line, or none, it is a line with its time', async () => {
  const { log, clock, groups: each } = groups();
  await each.group('Stop Odoo', async () => {
    clock.now += 1200;
  });
  await each.group('Verify', async () => each.say('MD5 of every part'));
  assert.deepEqual(log, ['Stop Odoo (1.2 s)', 'Verify: MD5 of every part (0 ms)']);
});

test('what has lines of its own is no line', async () => {
  const { log, groups: each } = groups();
  await each.group('Ask', async () => each.say('a\nb'));
  assert.deepEqual(log, ['begin Ask', 'a\nb', 'end']);
});

test('a warning shows what was held before it', async () => {
  const { log, groups: each } = groups();
  await each.group('Read', async () => {
    each.say('one');
    each.flush();
    log.push('warning');
  });
  assert.deepEqual(log, ['begin Read', 'one', 'warning', 'end']);
});

test('a group in another shows that one first', async () => {
  const { log, groups: each } = groups();
  await each.group('Database 1 of 2', () => each.group('Connect', async () => each.say('as deploy')));
  assert.deepEqual(log, ['begin Database 1 of 2', 'Connect: as deploy (0 ms)', 'end']);
});

test('a silent one is shown while somebody may be watching', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { log, groups: each } = groups();
  const { promise, resolve } = Promise.withResolvers<void>();
  const running = each.group('Load the dump', () => promise);
  t.mock.timers.tick(1999);
  assert.deepEqual(log, []);
  t.mock.timers.tick(1);
  assert.deepEqual(log, ['begin Load the dump']);
  resolve();
  await running;
  assert.deepEqual(log, ['begin Load the dump', 'end']);
});

test('one that fails is told as well', async () => {
  const { log, groups: each } = groups();
  await assert.rejects(each.group('Connect', () => Promise.reject(new Error('x'))));
  assert.deepEqual(log, ['Connect (0 ms)']);
});
