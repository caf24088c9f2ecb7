import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Phases } from '../../../src/platform/phases.ts';
import type { Platform } from '../../../src/platform/platform.ts';
import { OvertakenError } from '../../../src/restore/ownership.ts';
import {
  describePlan,
  execute,
  executeAndTakeBack,
  type OnFailure,
  type Step,
  StrandedError,
} from '../../../src/restore/plan.ts';
import { Cancellation } from '../../../src/util/cancellation.ts';
import { CancelledError, UserError } from '../../../src/util/errors.ts';

/** Writes down what happens, and prints nothing. */
function stage() {
  const events: string[] = [];
  const infos: string[] = [];
  const platform: Platform = {
    run: { platform: 'terminal' },
    progressIntervalMs: 1000,
    input: () => '',
    secret: () => {},
    idToken: async () => '',
    prepare: () => {},
    group: (title, body) => {
      events.push(`[${title}]`);
      return body();
    },
    info: (message) => void infos.push(message),
    notice: () => {},
    warning: (message) => void events.push(`warning: ${message}`),
    progress: () => {},
    output: () => {},
    summary: async () => {},
    finish: async () => {},
    fail: () => {},
  };
  const step = (name: string, problems: { run?: Error; undo?: Error; noUndo?: true } = {}): Step => ({
    name,
    title: `Do ${name}`,
    details: [],
    async run() {
      events.push(name);
      if (problems.run) throw problems.run;
    },
    ...(problems.noUndo
      ? {}
      : {
          undo: {
            title: `Undo ${name}`,
            byHand: [`by hand: ${name}`],
            async run() {
              events.push(`un-${name}`);
              if (problems.undo) throw problems.undo;
            },
          },
        }),
  });
  const run = (steps: readonly Step[], cancellation = new Cancellation(), onFailure: OnFailure = {}) =>
    execute(
      steps,
      { platform, phases: new Phases(platform), signal: cancellation.signal },
      cancellation,
      onFailure,
    );
  const runForNow = (steps: readonly Step[], cancellation = new Cancellation()) =>
    executeAndTakeBack(
      steps,
      { platform, phases: new Phases(platform), signal: cancellation.signal },
      cancellation,
    );
  return { events, infos, step, run, runForNow, did: () => events.filter((event) => /^[\w-]+$/.test(event)) };
}

suite('a plan', () => {
  test('runs its steps in order, each a phase of the log', async () => {
    const { events, step, run } = stage();
    await run([step('one'), step('two')]);
    assert.deepEqual(events, ['[Do one]', 'one', '[Do two]', 'two']);
  });

  test('leaves everything behind to a person, in order, where what Odoo runs on cannot be taken back', async () => {
    const { step, run, did } = stage();
    const swap = step('swap', { run: new UserError('it broke', ''), undo: new Error('renamed by others') });
    const undo = swap.undo && { ...swap.undo, isOdoos: true as const };
    await assert.rejects(run([step('build'), step('stop'), { ...swap, undo }]), (error) => {
      assert.ok(error instanceof StrandedError);
      assert.deepEqual(error.commands, ['by hand: swap', 'by hand: stop', 'by hand: build']);
      assert.match(error.message, /Undo stop: not done, because database, filestore or code is not back/);
      return true;
    });
    assert.deepEqual(did(), ['build', 'stop', 'swap', 'un-swap']);
  });

  test('takes back nothing where another run has taken over, and has no commands for a person', async () => {
    const { step, run, did } = stage();
    const failure = new UserError('it broke', 'mend it');
    const beforeUndo = async () => {
      throw new OvertakenError('another run has replaced shop', 'look at that one');
    };
    const steps = [step('one'), { ...step('two', { run: failure }), unbroken: true } as const];
    await assert.rejects(run(steps, new Cancellation(), { beforeUndo }), (error) => {
      assert.ok(error instanceof StrandedError);
      assert.deepEqual(error.commands, []);
      assert.equal(error.message, 'it broke. Nothing was undone: another run has replaced shop');
      assert.equal(error.hint, 'look at that one');
      return true;
    });
    assert.deepEqual(did(), ['one', 'two']);
  });

  test('takes back what it has built itself, whoever has taken over', async () => {
    const { step, run, did } = stage();
    const beforeUndo = async () => {
      throw new OvertakenError('another run has replaced shop', 'look at that one');
    };
    await assert.rejects(
      run([step('one', { run: new UserError('it broke', '') })], new Cancellation(), { beforeUndo }),
    );
    assert.deepEqual(did(), ['one', 'un-one']);
  });

  test('takes back the failed step and those before it, the last one first', async () => {
    const { step, run, did } = stage();
    const failure = new UserError('it broke', 'mend it');
    await assert.rejects(
      run([step('one'), step('two', { noUndo: true }), step('three', { run: failure }), step('four')]),
      failure,
    );
    assert.deepEqual(did(), ['one', 'two', 'three', 'un-three', 'un-one']);
  });

  test('goes on taking back when that fails, and says what a person has to do, in which order', async () => {
    const { step, run, did } = stage();
    const failure = new UserError('it broke', 'mend it');
    const stuck = run([
      step('one', { undo: new Error('no disk') }),
      step('two'),
      step('three', { undo: new Error('no network') }),
      step('four', { run: failure }),
    ]);
    await assert.rejects(stuck, (error) => {
      assert.ok(error instanceof StrandedError);
      assert.match(
        error.message,
        /^it broke\. .*failed as well:\n {2}Undo three: no network\n {2}Undo one: no disk$/,
      );
      assert.match(error.hint, /in this order:\n {2}by hand: three\n {2}by hand: one$/);
      assert.equal(error.cause, failure);
      return true;
    });
    assert.deepEqual(did(), ['one', 'two', 'three', 'four', 'un-four', 'un-three', 'un-two', 'un-one']);
  });

  test('is taken back when it is cancelled between two steps, and nothing interrupts that', async () => {
    const { step, run, did } = stage();
    const cancellation = new Cancellation();
    const reason = new UserError('Cancelled', 'as asked');
    const cancelling: Step = { ...step('two'), run: async () => cancellation.ask(reason) };
    await assert.rejects(run([step('one'), cancelling, step('three')], cancellation), reason);
    assert.deepEqual(did(), ['one', 'un-two', 'un-one']);
  });

  test('is taken back when it is cancelled within its last step', async () => {
    const { step, run, did } = stage();
    const cancellation = new Cancellation();
    const reason = new UserError('Cancelled', 'as asked');
    const last: Step = { ...step('last'), run: async () => cancellation.ask(reason) };
    await assert.rejects(run([step('one'), last], cancellation), reason);
    assert.deepEqual(did(), ['one', 'un-last', 'un-one']);
  });

  for (const [cause, reason, words] of [
    [
      'Ctrl-C',
      new CancelledError('Cancelled', '', 'SIGINT'),
      '. A further Ctrl-C does not end that; a third one',
    ],
    [
      'a CI',
      new CancelledError('Cancelled', '', 'SIGTERM'),
      '. A further signal does not end that; a third one',
    ],
    ['its time limit', new CancelledError('Not done', ''), undefined],
    ['a failed step', new UserError('it broke', 'mend it'), undefined],
  ] as const) {
    test(`says what another signal would do where one has ended it: ${cause}`, async () => {
      const { infos, step, run } = stage();
      const cancellation = new Cancellation();
      const last: Step = {
        ...step('last'),
        async run() {
          if (!(reason instanceof CancelledError)) throw reason;
          cancellation.ask(reason);
        },
      };
      await assert.rejects(run([last], cancellation), reason);
      const more = words === undefined ? '' : `${words} leaves the rest to you`;
      assert.ok(infos.includes(`Undoing: undo last${more}`), infos.join('\n'));
    });
  }

  test('blames the cancellation, not what broke because of it', async () => {
    const { events, step, run } = stage();
    const cancellation = new Cancellation();
    const reason = new UserError('Cancelled', 'as asked');
    const broken: Step = {
      ...step('one'),
      async run() {
        cancellation.ask(reason);
        throw new Error('a stream was closed');
      },
    };
    await assert.rejects(run([broken], cancellation), reason);
    assert.ok(events.includes('warning: Do one failed: Cancelled'), events.join('\n'));
  });

  test('that was cancelled before it began does nothing', async () => {
    const { run, step, events } = stage();
    const cancellation = new Cancellation();
    cancellation.ask(new UserError('Cancelled', 'as asked'));
    await assert.rejects(run([step('one')], cancellation));
    assert.deepEqual(events, ['warning: The restore failed: Cancelled']);
  });

  test('whose undo is given up says how to go on by hand, and begins no other', async () => {
    const { step, run, did } = stage();
    const cancellation = new Cancellation();
    const reason = new CancelledError('Cancelled (SIGINT)', 'as asked', 'SIGINT');
    const waits: Step = {
      ...step('two'),
      undo: {
        title: 'Undo two',
        byHand: ['by hand: two'],
        run() {
          assert.equal(cancellation.busyWith, 'undo two; undo one');
          cancellation.abandon(reason);
          return new Promise(() => {});
        },
      },
    };
    const failing = step('three', { run: new Error('it broke') });
    await assert.rejects(run([step('one'), waits, failing], cancellation), (error) => {
      assert.ok(error instanceof StrandedError);
      assert.match(error.hint, /in this order:\n {2}by hand: two\n {2}by hand: one$/);
      return true;
    });
    assert.deepEqual(did(), ['one', 'two', 'three', 'un-three']);
    assert.equal(cancellation.busyWith, undefined);
  });

  test('whose undo never ends gives it up by itself', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { step, run, did } = stage();
    const never: Step = {
      ...step('two', { run: new Error('it broke') }),
      undo: {
        title: 'Undo two',
        byHand: ['by hand: two'],
        run() {
          setImmediate(() => t.mock.timers.tick(3_600_000));
          return new Promise(() => {});
        },
      },
    };
    await assert.rejects(run([step('one'), never]), (error) => {
      assert.ok(error instanceof StrandedError);
      assert.match(error.message, /Undo two: It was not done within 15 min/);
      assert.match(error.hint, /in this order:\n {2}by hand: two$/);
      return true;
    });
    assert.deepEqual(did(), ['one', 'two', 'un-one']);
  });

  test('reads the same before it is run and after', () => {
    const { step } = stage();
    const steps = [{ ...step('one'), details: ['a detail\nof two lines'] }, step('two', { noUndo: true })];
    const lines = ['1. Do one', '   a detail', '   of two lines', '   undo: undo one', '2. Do two'];
    assert.deepEqual(describePlan(steps), lines);
  });
});

suite('a plan for the time of a run', () => {
  test('is taken back when everything is done', async () => {
    const { step, runForNow, did, events } = stage();
    await runForNow([step('build'), step('use', { noUndo: true }), step('more')]);
    assert.deepEqual(did(), ['build', 'use', 'more', 'un-more', 'un-build']);
    assert.ok(!events.some((event) => event.startsWith('warning')));
  });

  test('is taken back when a step fails', async () => {
    const { step, runForNow, did } = stage();
    await assert.rejects(
      runForNow([step('build'), step('use', { run: new Error('no') }), step('more')]),
      /^Error: no$/,
    );
    assert.deepEqual(did(), ['build', 'use', 'un-use', 'un-build']);
  });

  test('says what a person has to do where it cannot be taken back, whether it was done or not', async () => {
    const { step, runForNow } = stage();
    await assert.rejects(runForNow([step('build', { undo: new Error('stuck') })]), (error: unknown) => {
      assert.ok(error instanceof StrandedError);
      assert.deepEqual(error.commands, ['by hand: build']);
      return true;
    });
  });
});
