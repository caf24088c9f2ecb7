import { setTimeout as sleep } from 'node:timers/promises';
import type { Accounts } from '../host/accounts.ts';
import { explaining } from '../host/explaining.ts';
import type { Command, Host } from '../host/host.ts';
import { run, succeeds } from '../host/run.ts';
import { UserError } from '../util/errors.ts';
import { runService, type Services, type UnitState } from './services.ts';

/** @throws UserError where there is no systemd */
export async function unitStates(host: Host, units: readonly string[]): Promise<UnitState[]> {
  if (units.length === 0) return [];
  const output = await showUnits(host, 'Id,LoadState,ActiveState', units);
  // Blocks apart by an empty line, in the order asked for; the order of the properties is systemd's.
  return output
    .trim()
    .split('\n\n')
    .map((block, i) => {
      const value = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(block)?.[1] ?? '';
      return {
        unit: units[i] ?? value('Id'),
        state: value('ActiveState'),
        loaded: value('LoadState') === 'loaded',
      };
    });
}

async function showUnits(host: Host, properties: string, units: readonly string[]): Promise<string> {
  return run(host, { argv: ['systemctl', 'show', `--property=${properties}`, '--', ...units] }).catch(
    explaining(({ exit }) => [
      `services: systemd on ${host.label} cannot be asked about ${units.join(', ')}: ${exit.stderr}`,
      'On a host without systemd, set stop-command and start-command instead of services.',
    ]),
  );
}

/**
 * systemd's units. Each is stopped and started by a command of its own, so that sudoers can allow just these:
 * `systemctl stop odoo`, `systemctl start odoo`.
 */
export function systemdServices(host: Host, accounts: Accounts, units: readonly string[]): Services {
  const startOrder = units.toReversed();
  const argvOf = (verb: 'stop' | 'start', unit: string) => ['systemctl', verb, unit];
  const commandOf = (verb: 'stop' | 'start', unit: string): Command => ({
    argv: argvOf(verb, unit),
    as: accounts.root,
  });
  const shown = (verb: 'stop' | 'start', unit: string) =>
    `${accounts.root && host.user !== 'root' ? 'sudo ' : ''}${argvOf(verb, unit).join(' ')}`;
  return {
    units,
    states: () => unitStates(host, units),
    stopCommands: units.map((unit) => shown('stop', unit)),
    startCommands: startOrder.map((unit) => shown('start', unit)),

    async running() {
      const states = await unitStates(host, units);
      return states.filter(({ state }) => RUNNING.has(state)).map(({ unit }) => unit);
    },

    only: (some) =>
      systemdServices(
        host,
        accounts,
        units.filter((unit) => some.includes(unit)),
      ),

    async problems() {
      const states = await unitStates(host, units);
      const unknown = states.filter(({ loaded }) => !loaded).map(({ unit }) => unknownUnit(unit));
      if (accounts.root === undefined || host.user === accounts.root) return unknown;
      const commands = units.flatMap((unit) => [argvOf('stop', unit), argvOf('start', unit)]);
      const refused: string[] = [];
      for (const argv of commands) if (!(await sudoGrants(host, argv))) refused.push(argv.join(' '));
      return refused.length === 0 ? unknown : [...unknown, sudoRefusal(host, refused)];
    },

    async stop() {
      for (const unit of units) await runService(host, commandOf('stop', unit), shown('stop', unit));
      const states = await unitStates(host, units);
      const running = states.filter(({ state }) => state !== 'inactive' && state !== 'failed');
      if (running.length === 0) return;
      throw new UserError(
        `Still running after the stop command: ${running.map(({ unit, state }) => `${unit} is ${state}`).join(', ')}`,
        'Something has started it again: a timer, a socket or another unit. See systemctl list-dependencies --reverse.',
      );
    },

    async start() {
      for (const unit of startOrder) {
        await startUnit(host, unit, () => runService(host, commandOf('start', unit), shown('start', unit)));
      }
    },
  };
}

const RUNNING: ReadonlySet<string> = new Set(['active', 'activating', 'reloading']);

/** systemd's default interval is 10 s. */
const START_LIMIT_PATIENCE_MS = 120_000;
const START_LIMIT_PAUSE_MS = 500;

/**
 * A unit with `Restart=` that has started again and again cannot be started for a while, by anybody: systemd.unit(5),
 * StartLimitIntervalSec. Its invocation tells such a refusal from a start that was tried and failed.
 */
async function startUnit(host: Host, unit: string, start: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + START_LIMIT_PATIENCE_MS;
  const before = await invocationOf(host, unit);
  for (;;) {
    try {
      return await start();
    } catch (error) {
      const after = await invocationOf(host, unit);
      const refused = after.failed && after.id !== '' && after.id === before.id;
      if (!refused || performance.now() > deadline) throw error;
      await sleep(START_LIMIT_PAUSE_MS);
    }
  }
}

/** The last time that systemd ran a unit. */
async function invocationOf(host: Host, unit: string): Promise<{ id: string; failed: boolean }> {
  const output = await showUnits(host, 'ActiveState,InvocationID', [unit]);
  return {
    id: /^InvocationID=(.*)$/m.exec(output)?.[1] ?? '',
    failed: /^ActiveState=failed$/m.test(output),
  };
}

const unknownUnit = (unit: string): UserError =>
  new UserError(
    `systemd knows no unit ${unit}`,
    'Set services to the units that run Odoo: systemctl list-units lists them.',
  );

/** Asks sudo without running anything: sudo(8), `--list` with a command. */
const sudoGrants = (host: Host, argv: readonly string[]): Promise<boolean> =>
  succeeds(host, { argv: ['sudo', '-n', '-l', '-u', 'root', '--', ...argv] });

function sudoRefusal({ user }: Host, commands: readonly string[]): UserError {
  const line = `${user} ALL=(root) NOPASSWD: ${commands.map((each) => `/usr/bin/${each}`).join(', ')}`;
  return new UserError(
    `sudo does not let ${user} run ${commands.join(' and ')}`,
    `Put this line into /etc/sudoers.d/odoo-backup on the host: ${line}`,
  );
}
