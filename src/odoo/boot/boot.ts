import { untilAborted } from '../../host/limits.ts';
import { messageOf, UserError } from '../../util/errors.ts';
import { type Healthy, waitHealthy } from '../health.ts';
import { assertListens } from './free-port.ts';
import type { Guest } from './guest.ts';
import { GuestProcess } from './guest-process.ts';
import type { OdooLog } from './odoo-log.ts';

/** What is done when. */
export interface Waiting {
  readonly signal: AbortSignal;
  /** Is told of what is waited for. */
  readonly onWait?: (line: string) => void;
}

/**
 * Runs a shell command of a guest to its end.
 *
 * @param log is told what it prints
 * @returns its exit code
 * @throws the signal's reason when that is aborted: the command is ended then
 */
export async function runInGuest(
  guest: Guest,
  shell: string,
  log: OdooLog,
  { signal }: Waiting,
): Promise<number> {
  await using process = await start(guest, ['sh', '-c', shell], log);
  return await untilAborted(process.exited, signal);
}

/** How a guest is started, and how long it may take until it answers. */
export interface Boot extends Waiting {
  /** Shell command that starts it and runs for as long as it does; undefined: the program of the Odoo in use. */
  readonly shell: string | undefined;
  readonly timeoutMs: number;
}

/**
 * Starts Odoo on the database of a guest, waits until its login page answers, which has loaded the database, and stops it.
 *
 * @param log is told what it prints
 * @returns how long it took, and its answer
 * @throws UserError where it ends before it answers, or does not answer in time; the signal's reason when that is aborted
 */
export async function bootOdoo(
  guest: Guest,
  log: OdooLog,
  { shell, timeoutMs, signal, onWait }: Boot,
): Promise<Healthy> {
  const { program, conf, host } = guest;
  if (shell === undefined && !program) throw noProgram(host.label);
  const argv = shell === undefined ? [...(program?.argv ?? []), '--config', conf] : ['sh', '-c', shell];
  const healthy = await answerOf(guest, argv, log, { shell, timeoutMs, signal, onWait });
  // Odoo goes on without a database that it cannot load, and its pages lead elsewhere. The log is whole by now.
  if (log.criticals === 0) return healthy;
  throw new UserError(
    `Odoo does not work on ${guest.database}: it answers, and its log has a critical error`,
    'Its last lines in the log say why.',
  );
}

async function answerOf(
  guest: Guest,
  argv: readonly string[],
  log: OdooLog,
  { shell, timeoutMs, signal, onWait }: Boot,
): Promise<Healthy> {
  await using process = await start(guest, argv, log);
  const states = async () => {
    const state = process.code === undefined ? 'active' : 'failed';
    return [{ unit: 'its process', state, loaded: true }];
  };
  const check = { kind: 'odoo', baseUrl: `http://127.0.0.1:${guest.port}` } as const;
  try {
    const healthy = await waitHealthy(
      { host: guest.host, services: { states }, check },
      timeoutMs,
      signal,
      onWait,
    );
    // What another command starts may run in a container, or as whom it likes.
    if (shell === undefined) await assertListens(guest.host, guest.port, guest.as);
    return healthy;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof UserError)) throw error;
    const ended = process.code;
    throw new UserError(
      ended === undefined
        ? `Odoo does not answer on ${guest.database}. ${messageOf(error)}`
        : `Odoo does not start on ${guest.database}: it ended with exit code ${ended} before it answered`,
      'Its last lines in the log say why. For how long to wait is set by health-check: odoo within 5m.',
      { cause: error },
    );
  }
}

/** What there is to do where the host has no program of Odoo. */
export const noProgram = (label: string): UserError =>
  new UserError(
    `No program of Odoo is found on ${label} that could be started`,
    'Set rehearse-start to the command that starts it, or services to the systemd unit that runs it.',
  );

const start = (
  { host, as, environment }: Guest,
  argv: readonly string[],
  log: OdooLog,
): Promise<GuestProcess> => GuestProcess.start(host, { argv, as, ...environment }, log);
