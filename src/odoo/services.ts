import { detached } from '../host/detached.ts';
import { explaining } from '../host/explaining.ts';
import type { Command, Host } from '../host/host.ts';
import { run } from '../host/run.ts';
import type { UserError } from '../util/errors.ts';

/** The services that have to be stopped while the databases are swapped. */
export interface Services {
  /** For people: what stops and starts it, one command a line. */
  readonly stopCommands: readonly string[];
  readonly startCommands: readonly string[];
  /** What systemd or Compose knows them by, in the order in which they stop; empty: they are not known. */
  readonly units: readonly string[];
  /** The states of `units`, read only. */
  states(): Promise<UnitState[]>;
  /** The ones of `units` that run, read only; undefined: this cannot be determined. */
  running(): Promise<readonly string[] | undefined>;
  /** The same services, but only some of `units`. */
  only(units: readonly string[]): Services;
  /** What would keep `stop` and `start` from working, read only. Empty: nothing is known. */
  problems(): Promise<UserError[]>;
  /** @throws UserError when something goes on running */
  stop(): Promise<void>;
  /** Starts them in the reverse order. @throws UserError when something does not start */
  start(): Promise<void>;
}

/** `active`, `inactive`, `failed`, `activating`… */
export interface UnitState {
  readonly unit: string;
  readonly state: string;
  /** false: nothing of that name is there. */
  readonly loaded: boolean;
}

/** Shell commands of the inputs `stop-command` and `start-command`, for hosts without systemd. */
export function commandServices(host: Host, stopCommand: string, startCommand: string): Services {
  const services: Services = {
    units: [],
    states: async () => [],
    stopCommands: [stopCommand],
    startCommands: [startCommand],
    running: async () => undefined,
    only: () => services,
    problems: async () => [],
    stop: () => runService(host, detached(stopCommand), stopCommand),
    start: () => runService(host, detached(startCommand), startCommand),
  };
  return services;
}

/** Stops or starts a service. @throws UserError with what the command said */
export async function runService(
  host: Host,
  command: Command,
  shown: string,
  hint = 'See the service’s log on the host: journalctl -e -u <unit>.',
): Promise<void> {
  await run(host, command).catch(
    explaining(({ exit }) => [
      `${shown} failed on ${host.label} (${exit.signal ?? `exit code ${exit.code}`}): ${exit.stderr}`,
      hint,
    ]),
  );
}
