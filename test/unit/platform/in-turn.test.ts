import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { LogInTurn } from '../../../src/platform/in-turn.ts';
import type { Platform } from '../../../src/platform/platform.ts';

/** A platform that notes its log, with groups as brackets. */
function noting(): { readonly platform: Platform; readonly log: string[] } {
  const log: string[] = [];
  const note = (line: string) => void log.push(line);
  const platform: Platform = {
    run: { platform: 'terminal' },
    progressIntervalMs: 0,
    input: () => '',
    idToken: async () => '',
    secret: (value) => note(`secret ${value}`),
    prepare: () => {},
    group: async (title, body) => {
      note(`${title} {`);
      try {
        return await body();
      } finally {
        note('}');
      }
    },
    info: note,
    notice: (message) => note(`notice ${message}`),
    warning: (message) => note(`warning ${message}`),
    progress: (line) => note(`progress ${line}`),
    output: (name, value) => note(`${name}=${value}`),
    summary: async () => {},
    finish: async () => {},
    fail: () => {},
  };
  return { platform, log };
}

test('the first is printed as it speaks, the second when the first has ended', async () => {
  const { platform, log } = noting();
  const turns = new LogInTurn(platform);
  const [first, second] = [turns.next(), turns.next()];
  const [begin, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const dumping = first.platform.group('dump 1', async () => {
    first.platform.info('a');
    await begin.promise;
    first.platform.progress('50 %');
    await end.promise;
  });
  const other = await second.platform.group('dump 2', async () => {
    second.platform.warning('b');
    second.platform.progress('nobody needs it later');
    await second.platform.group('inside', async () => second.platform.notice('c'));
    return 'its result';
  });
  assert.equal(other, 'its result');
  second.end();
  await turnOfTheLoop();
  assert.deepEqual(log, ['dump 1 {', 'a']);
  begin.resolve();
  await turnOfTheLoop();
  assert.deepEqual(log.splice(0), ['dump 1 {', 'a', 'progress 50 %']);
  end.resolve();
  await dumping;
  first.platform.info('d');
  first.end();
  await turns.printed;
  assert.deepEqual(log, ['}', 'd', 'dump 2 {', 'warning b', 'inside {', 'notice c', '}', '}']);
});

test('a turn that comes while its group is under way is printed from its beginning, and goes on', async () => {
  const { platform, log } = noting();
  const turns = new LogInTurn(platform);
  const [first, second] = [turns.next(), turns.next()];
  const end = Promise.withResolvers<void>();
  const dumping = second.platform.group('dump 2', async () => {
    second.platform.info('before');
    await end.promise;
    second.platform.progress('90 %');
    throw new Error('cut');
  });
  first.end();
  await turnOfTheLoop();
  assert.deepEqual(log, ['dump 2 {', 'before']);
  end.resolve();
  await assert.rejects(dumping, /cut/);
  second.platform.warning('could not be backed up');
  second.end();
  await turns.printed;
  assert.deepEqual(log, ['dump 2 {', 'before', 'progress 90 %', '}', 'warning could not be backed up']);
});

test('secrets are masked, and outputs given, at once', async () => {
  const { platform, log } = noting();
  const turns = new LogInTurn(platform);
  const [first, second] = [turns.next(), turns.next()];
  second.platform.info('never before its turn');
  second.platform.secret('s');
  second.platform.output('key', 'k');
  assert.deepEqual(log, ['secret s', 'key=k']);
  first.end();
  second.end();
  await turns.printed;
});
