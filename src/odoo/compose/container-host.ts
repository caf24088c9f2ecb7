import type { Command, Host, Process } from '../../host/host.ts';
import { guarding } from '../../host/shell.ts';

/** The program of an engine: both take the same words here. */
export type EngineProgram = 'docker' | 'podman';

/** How commands get from a machine into its containers. */
export interface Engine {
  readonly machine: Host;
  readonly program: EngineProgram;
  /** The account of the machine that may use it, for `Command.as`. */
  readonly as: string | undefined;
}

/**
 * A container as a host: a command on it is one of the engine on the machine outside. Its account is root. Secrets
 * travel as on the machine: the engine takes them from its environment (`--env NAME` without a value).
 */
export class ContainerHost implements Host {
  readonly label: string;
  readonly user = 'root';
  readonly #engine: Engine;
  readonly #id: () => Promise<string>;
  readonly #typed: (argv: readonly string[]) => readonly string[];

  /**
   * @param id of the container in which commands run
   * @param typed what a person types to run such words as root later, when that may be gone
   */
  constructor(
    engine: Engine,
    label: string,
    id: () => Promise<string>,
    typed: (argv: readonly string[]) => readonly string[],
  ) {
    this.label = label;
    this.#engine = engine;
    this.#id = id;
    this.#typed = typed;
  }

  get atOnce(): number | undefined {
    return this.#engine.machine.atOnce;
  }

  async start(command: Command): Promise<Process> {
    return this.#engine.machine.start(this.#exec(await this.#id(), command));
  }

  enclose({ argv }: Command): Command {
    return { argv: this.#typed(argv), as: this.#engine.as };
  }

  /**
   * The guard stands inside: when the engine's program ends, what it has started runs on, and sees no more of that
   * than the end of its standard input.
   */
  #exec(id: string, { argv, as = this.user, env = {}, secretEnv = {}, guarded = false }: Command): Command {
    const options = [
      ...['--interactive', '--workdir', '/', '--user', as.replace(/^#/, '')],
      ...Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
      ...Object.keys(secretEnv).flatMap((name) => ['--env', name]),
    ];
    const words = guarded ? guarding(argv) : argv;
    return { argv: [this.#engine.program, 'exec', ...options, id, ...words], as: this.#engine.as, secretEnv };
  }

  /** The machine is not this one's to leave. */
  async [Symbol.asyncDispose](): Promise<void> {}
}

/** Words for a person: in a container that runs. */
export const typedInside =
  (program: EngineProgram, id: string) =>
  (argv: readonly string[]): string[] => [program, 'exec', '--user', 'root', id, ...argv];

/** Words for a person: beside a container, whether it runs or not. */
export const typedBeside =
  (engine: EngineProgram, id: string, image: string) =>
  ([program = '', ...args]: readonly string[]): string[] => [
    ...[engine, 'run', '--rm', '--volumes-from', id, '--user', 'root'],
    ...['--entrypoint', program, image, ...args],
  ];
