import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Services } from '../../../src/odoo/services.ts';
import type { Leftovers } from '../../../src/restore/leftovers/leftovers.ts';
import { Downtime, swapSteps } from '../../../src/restore/swap-steps.ts';
import type { Work } from '../../../src/restore/work.ts';
import { noLeftovers } from '../../support/no-leftovers.ts';

const killed: Leftovers = {
  ...noLeftovers,
  unused: { databases: ['shop__new_20260101000000'], folders: [] },
};

/** Units that write down who starts them. */
function servicesOf(units: readonly string[], started: string[]): Services {
  return {
    units,
    stopCommands: units.map((unit) => `stop ${unit}`),
    startCommands: units.map((unit) => `start ${unit}`),
    states: async () => [],
    running: async () => [],
    only: (some) =>
      servicesOf(
        units.filter((unit) => some.includes(unit)),
        started,
      ),
    problems: async () => [],
    stop: async () => {},
    start: async () => void started.push(...units),
  };
}

suite('a stop that is taken back', () => {
  for (const [title, running, leftovers, again] of [
    ['starts what ran', ['odoo', 'queue'], noLeftovers, ['odoo', 'queue']],
    ['leaves stopped what somebody had stopped, and what had failed', ['odoo'], noLeftovers, ['odoo']],
    ['starts nothing where nothing ran', [], noLeftovers, []],
    ['starts everything where nobody knows what ran', undefined, noLeftovers, ['odoo', 'queue']],
    [
      'starts everything where a run that was killed may have stopped it',
      ['queue'],
      killed,
      ['odoo', 'queue'],
    ],
  ] as const) {
    test(title, async () => {
      const started: string[] = [];
      const told: string[] = [];
      // As much of it as the step asks for; aborted: nobody waits for Odoo's health.
      const work = {
        target: {
          services: servicesOf(['odoo', 'queue'], started),
          leftovers,
          health: { check: { kind: 'url' } },
          admin: { host: {}, command: (program: string) => ({ argv: [program] }) },
        },
        findings: { stops: true, running, slots: [] },
        databases: { current: 'shop', old: undefined, new: 'shop__new_20260102000000' },
        filestore: undefined,
        request: { keepPrevious: 'until-healthy' },
        startedAt: new Date(0),
        platform: { info: (text: string) => told.push(text) },
        signal: AbortSignal.abort(),
      } as unknown as Work;
      const [stop] = swapSteps(work, new Downtime());
      assert.equal(stop?.name, 'stop');
      await stop.undo?.run();
      assert.deepEqual(started, again);
      assert.deepEqual(
        stop.undo?.byHand,
        again.map((unit) => `start ${unit}`),
      );
      assert.deepEqual(told, again.length > 0 ? [] : ['Odoo did not run before']);
    });
  }
});
