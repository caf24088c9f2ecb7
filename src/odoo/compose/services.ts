import { UserError } from '../../util/errors.ts';
import { runService, type Services, type UnitState } from '../services.ts';
import type { Compose, Container } from './project.ts';

/**
 * Services of Compose, by its own `stop` and `start`: the containers stay the same ones.
 *
 * @throws UserError when the project has no service of one of the names
 */
export function composeServices(compose: Compose, names: readonly string[]): Services {
  for (const name of names) compose.assertService(name, 'services');
  const stop = ['stop', ...names];
  const start = ['start', ...names];
  const states = async (): Promise<UnitState[]> => {
    const containers = await compose.containers(names);
    return names.flatMap((unit): UnitState[] => {
      const own = containers.filter(({ service }) => service === unit);
      if (own.length === 0) return [{ unit, state: 'absent', loaded: false }];
      return own.map((each) => ({ unit, state: stateOf(each), loaded: true }));
    });
  };
  return {
    units: names,
    stopCommands: [compose.shown(stop)],
    startCommands: [compose.shown(start)],
    states,

    async running() {
      const running = (await states()).filter(({ state }) => !AT_REST.has(state));
      return [...new Set(running.map(({ unit }) => unit))];
    },

    only: (some) =>
      composeServices(
        compose,
        names.filter((name) => some.includes(name)),
      ),

    async problems() {
      const absent = (await states()).filter(({ loaded }) => !loaded).map(({ unit }) => unit);
      return absent.length > 0 ? [noContainer(absent, compose)] : [];
    },

    async stop() {
      await command(compose, stop);
      const left = (await states()).filter(({ state }) => !AT_REST.has(state));
      if (left.length === 0) return;
      throw new UserError(
        `Still running after the stop command: ${left.map(({ unit, state }) => `${unit} is ${state}`).join(', ')}`,
        `Something has started it again. See ${compose.engine.program} events on the host.`,
      );
    },

    async start() {
      if (compose.program.tellsFailure) return command(compose, start);
      const before = await compose.containers(names);
      await command(compose, start);
      const left = await compose.containers(names);
      const never = left.filter(
        ({ id, status, started }) =>
          status !== 'running' && before.some((each) => each.id === id && each.started === started),
      );
      if (never.length === 0) return;
      throw new UserError(
        `${compose.shown(start)} has not started ${never.map(({ service, status }) => `${service}: it is ${status}`).join(', ')}`,
        `See what ${compose.shown(['start', ...never.map(({ service }) => service)])} says on the host.`,
      );
    },
  };
}

const AT_REST: ReadonlySet<string> = new Set(['inactive', 'failed', 'absent', 'created', 'dead']);

/** The state of a container, in systemd's words where systemd has one. */
function stateOf({ status, health, exitCode }: Container): string {
  // Podman's word for one that has ended a moment ago, too.
  if (status === 'exited' || status === 'stopped')
    return exitCode === 0 || exitCode > 128 ? 'inactive' : 'failed';
  if (status !== 'running') return status;
  if (health === undefined || health === 'healthy') return 'active';
  return health === 'starting' ? 'activating' : health;
}

export function noContainer(names: readonly string[], compose: Compose): UserError {
  const { host, engine } = compose;
  const ofOthers =
    engine.program === 'podman' && engine.as === undefined && host.user !== 'root'
      ? ` Podman shows ${host.user} no containers of other accounts: for those of root, let it become root by sudo.`
      : '';
  return new UserError(
    `No container was made yet for ${names.join(', ')}`,
    `Make it first: ${compose.shown(['up', '--no-start', ...names])}.${ofOthers}`,
  );
}

function command(compose: Compose, args: readonly string[]): Promise<void> {
  const hint = `See the service’s log on the host: ${compose.shown(['logs', '--tail', '50'])}`;
  return runService(compose.host, compose.command(args), compose.shown(args), hint);
}
