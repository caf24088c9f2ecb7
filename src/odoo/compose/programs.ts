import type { Accounts } from '../../host/accounts.ts';
import { CommandError, type Host } from '../../host/host.ts';
import { run } from '../../host/run.ts';
import type { EngineProgram } from './container-host.ts';

/** A program that runs the projects of Compose, as far as one differs from the others. */
export interface ComposeProgram {
  readonly words: readonly string[];
  /** The engine that runs the containers. */
  readonly engine: EngineProgram;
  /** Prints the ids of the project's containers, running or not. */
  readonly list: readonly string[];
  /** Whether it takes the project's folder as an option: else it is that of the first compose file. */
  readonly takesDirectory: boolean;
  /** Whether it fails when a container does not start. */
  readonly tellsFailure: boolean;
}

const dockers = { list: ['ps', '--all', '--quiet'], takesDirectory: true, tellsFailure: true } as const;
const podmans = { list: ['ps', '--quiet'], takesDirectory: false, tellsFailure: false } as const;

/**
 * The programs, in the order in which they are tried. `podman compose` hands on to Docker's, which speaks to
 * podman.socket, or to podman-compose: neither sees the containers of the other.
 */
const PROGRAMS: readonly ComposeProgram[] = [
  { ...dockers, engine: 'docker', words: ['docker', 'compose'] },
  { ...dockers, engine: 'docker', words: ['docker-compose'] },
  { ...podmans, engine: 'podman', words: ['podman-compose'] },
  { ...dockers, engine: 'podman', words: ['podman', 'compose'] },
];

/** A program that answers. */
export interface FoundProgram {
  readonly program: ComposeProgram;
  /** The account that may use its engine, for `Command.as`. */
  readonly as: string | undefined;
  /** `2.26.1-4` */
  readonly version: string;
}

/** Docker's own word on whether an account may use it. */
export const DOCKER_VERSION = ['docker', 'version', '--format', '{{.Server.Version}}'];

/** Finds the programs of a host, one by one: every account has a Podman of its own. */
export async function* composePrograms(host: Host, accounts: Accounts): AsyncGenerator<FoundProgram> {
  const docker = await accounts.firstAble(['root'], { argv: DOCKER_VERSION });
  if (docker) yield* answering(host, 'docker', docker.as);
  for await (const as of accounts.usable(['root'])) yield* answering(host, 'podman', as);
}

async function* answering(
  host: Host,
  engine: EngineProgram,
  as: string | undefined,
): AsyncGenerator<FoundProgram> {
  for (const program of PROGRAMS.filter((each) => each.engine === engine)) {
    try {
      // podman-compose before 1.0.6 does not know it, nor what else is asked of it here.
      const printed = await run(host, { argv: [...program.words, 'version', '--short'], as });
      yield { program, as, version: printed.trim().replace(/^v/, '') };
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
    }
  }
}
