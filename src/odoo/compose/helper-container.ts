import { randomUUID } from 'node:crypto';
import { CommandError, type Process } from '../../host/host.ts';
import { unlimited, wait } from '../../host/limits.ts';
import { UserError } from '../../util/errors.ts';
import type { Engine } from './container-host.ts';
import type { Container } from './project.ts';

/** Whether a helper is for the container's server, or for its files: then it may write them. */
export type Purpose = 'server' | 'files';

/**
 * A container of the same image beside one of a service: it has the same programs, and sees the same volumes, also
 * while the other is stopped.
 *
 * Commands of ours do not run in the container of a database itself. There, PostgreSQL is the first process: it
 * inherits what has lost its parent, takes a stranger that a signal has ended for a crashed session of its own, and
 * ends all sessions (CleanupBackend in postmaster.c).
 *
 * It lasts as long as the standard input of the program that holds it: when we close that, or the connection breaks, it
 * is gone with everything in it. What is asked for after that gets another one.
 */
export class HelperContainer {
  readonly #engine: Engine;
  readonly #beside: Container;
  readonly #purpose: Purpose;
  #started: Promise<string> | undefined;

  constructor(engine: Engine, beside: Container, purpose: Purpose) {
    this.#engine = engine;
    this.#beside = beside;
    this.#purpose = purpose;
  }

  /** Its name, once it runs. @throws UserError when it does not start */
  id(): Promise<string> {
    this.#started ??= this.#start().catch((error) => {
      this.#started = undefined;
      throw error;
    });
    return wait(this.#started);
  }

  async #start(): Promise<string> {
    const { id, service, image, network: own, pod } = this.#beside;
    const name = `odoo-backup-${randomUUID()}`;
    const network = this.#purpose === 'server' ? ['--network', `container:${id}`] : ['--network', own];
    // Podman lets only containers of the same pod into the network of a container.
    if (this.#purpose === 'server' && pod !== undefined) network.push('--pod', pod);
    const mode = this.#purpose === 'server' ? ':ro' : '';
    const argv = [
      ...[
        this.#engine.program,
        'run',
        '--rm',
        '--interactive',
        '--init',
        '--log-driver',
        'none',
        '--name',
        name,
      ],
      ...[...network, '--volumes-from', `${id}${mode}`, '--user', 'root', '--entrypoint', 'sh'],
      ...[image, '-c', 'echo ready; exec cat >/dev/null'],
    ];
    const command = { argv, as: this.#engine.as };
    // It outlasts the run's limit: what takes back needs it too.
    const holder = await unlimited(() => this.#engine.machine.start(command));
    this.#watch(holder);
    for await (const _ of holder.stdout.iterator({ destroyOnReturn: false })) return name;
    const cause = new CommandError(command, await holder.exited);
    throw new UserError(
      `No container can be started beside the service ${service}: ${cause.message}`,
      'It has the image and the volumes of that one. Check that all of them are still there.',
      { cause },
    );
  }

  #watch({ exited }: Process): void {
    const gone = () => {
      this.#started = undefined;
    };
    exited.then(gone, gone);
  }
}
