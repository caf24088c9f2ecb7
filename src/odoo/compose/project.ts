import type { Accounts } from '../../host/accounts.ts';
import { explaining } from '../../host/explaining.ts';
import { type Command, CommandError, type Host } from '../../host/host.ts';
import { run } from '../../host/run.ts';
import { quote } from '../../host/shell.ts';
import { UserError } from '../../util/errors.ts';
import type { Engine } from './container-host.ts';
import { type ComposeProgram, composePrograms, DOCKER_VERSION, type FoundProgram } from './programs.ts';

/** Which project of Compose, and which of its services are what. */
export interface ComposeSettings {
  /** In the order in which Compose merges them; none: Compose looks in the project's folder. */
  readonly files: readonly string[];
  readonly projectDirectory: string | undefined;
  /** undefined: Odoo runs outside of Compose. */
  readonly odooService: string | undefined;
  /** undefined: PostgreSQL runs outside of Compose. */
  readonly dbService: string | undefined;
}

/** A container of a service, as `inspect` shows it. */
export interface Container {
  readonly id: string;
  readonly service: string;
  /** Its id: `sha256:…` with Docker, without that with Podman. */
  readonly image: string;
  /** As the project names it: `odoo:17`. */
  readonly imageName: string;
  /** In the form of `docker run --network`. */
  readonly network: string;
  /** Podman's id of what podman-compose puts its containers into; undefined: it is in none. */
  readonly pod: string | undefined;
  readonly env: ReadonlyMap<string, string>;
  /** Folders that outlive the container. */
  readonly mounts: readonly {
    readonly path: string;
    readonly writable: boolean;
    /** The folder of the machine that it is; undefined: a volume. */
    readonly source: string | undefined;
  }[];
  /** `running`, `exited`, `restarting`, `created`, `paused`, `dead`. */
  readonly status: string;
  /** Since when it runs, or ran last. */
  readonly started: string;
  readonly exitCode: number;
  /** Result of its health check: `starting`, `healthy`, `unhealthy`; undefined: it has none. */
  readonly health: string | undefined;
}

/** A project of Compose on a host. Names differ between its versions: so Compose itself is asked for all. */
export class Compose {
  readonly host: Host;
  readonly engine: Engine;
  readonly program: ComposeProgram;
  /** For people: `docker compose 2.26.1`. */
  readonly version: string;
  readonly #settings: ComposeSettings;
  #services: readonly string[] = [];
  /** IDs of all containers, once there were some. */
  #ids: readonly string[] = [];

  private constructor(host: Host, { program, as, version }: FoundProgram, settings: ComposeSettings) {
    this.host = host;
    this.engine = { machine: host, program: program.engine, as };
    this.program = program;
    this.version = `${program.words.join(' ')} ${version}`;
    this.#settings = settings;
  }

  /**
   * Finds the Compose that runs the project, and reads it: the first that has containers of it, else the first there
   * is.
   *
   * @throws UserError naming the input to change
   */
  static async open(host: Host, accounts: Accounts, settings: ComposeSettings): Promise<Compose> {
    let chosen: Compose | undefined;
    for await (const found of composePrograms(host, accounts)) {
      const compose = new Compose(host, found, settings);
      chosen ??= compose;
      if (!(await compose.#hasContainers())) continue;
      chosen = compose;
      break;
    }
    if (chosen === undefined) throw await noCompose(host, accounts);
    chosen.#services = lines(await chosen.#ask(['config', '--services'])).sort();
    return chosen;
  }

  /** The names of all services. */
  get services(): readonly string[] {
    return this.#services;
  }

  async #hasContainers(): Promise<boolean> {
    try {
      this.#ids = await this.#list();
    } catch (error) {
      if (!(error instanceof UserError)) throw error; // what is wrong with the project is told by the next question
    }
    return this.#ids.length > 0;
  }

  async #list(): Promise<string[]> {
    return lines(await this.#ask(this.program.list));
  }

  /** @throws UserError naming the input when the project has no such service */
  assertService(name: string, input: string): void {
    if (this.services.includes(name)) return;
    throw new UserError(
      `${input}: the Compose project has no service ${name}. It has: ${this.services.join(', ') || 'none'}`,
      `Set ${input} to the name of the service, or check compose-file and compose-project-directory.`,
    );
  }

  /** The containers of services, running or not, without those of `docker compose run`. */
  async containers(services: readonly string[]): Promise<Container[]> {
    // Compose 1.29 takes a second to tell what stays as it is: what it stops and starts keeps its container.
    const there = await this.#inspect(this.#ids).catch((error) => {
      if (!(error instanceof CommandError)) throw error;
      return [];
    });
    const wanted = (each: Container) => services.includes(each.service);
    if (services.every((name) => there.some(({ service }) => service === name))) return there.filter(wanted);
    this.#ids = await this.#list();
    return (await this.#inspect(this.#ids)).filter(wanted);
  }

  async #inspect(ids: readonly string[]): Promise<Container[]> {
    if (ids.length === 0) return [];
    const { program, as } = this.engine;
    const inspect = [program, 'inspect', '--type', 'container', ...ids];
    const described = JSON.parse(await run(this.host, { argv: inspect, as })) as Inspected[];
    return described.filter((each) => !isOneOff(each)).map(containerOf);
  }

  /** A command of Compose on this project. */
  command(args: readonly string[]): Command {
    return { argv: inFolder(this.#settings.projectDirectory, this.#words(args)), as: this.engine.as };
  }

  /** The same command for people, who are in the project's folder. */
  shown(args: readonly string[]): string {
    const { as } = this.engine;
    const sudo = as === undefined || as === this.host.user ? [] : ['sudo'];
    return quote([...sudo, ...this.#words(args)]);
  }

  #words(args: readonly string[]): string[] {
    const { files, projectDirectory } = this.#settings;
    const { words, takesDirectory } = this.program;
    const directory =
      takesDirectory && projectDirectory !== undefined && files.length > 0
        ? ['--project-directory', projectDirectory]
        : [];
    return [...words, ...directory, ...files.flatMap((file) => ['-f', file]), ...args];
  }

  async #ask(args: readonly string[]): Promise<string> {
    return run(this.host, this.command(args)).catch(
      explaining(({ exit }) => [
        `${this.shown(args)} failed on ${this.host.label}: ${exit.stderr}`,
        'Check compose-file and compose-project-directory: they have to be those that the project was started with.',
      ]),
    );
  }
}

const lines = (text: string): string[] => text.split('\n').filter(Boolean);

/** All of them set this one, podman-compose as well. */
const SERVICE = 'com.docker.compose.service';

/** Made by `run`: Docker's Compose says so, podman-compose has a name for it. */
const isOneOff = ({ Name, Config: { Labels } }: Inspected): boolean =>
  /^true$/i.test(Labels?.['com.docker.compose.oneoff'] ?? '') ||
  (Labels?.['io.podman.compose.version'] !== undefined && /[_-]tmp\d+$/.test(Name));

/**
 * The fields read from `docker inspect` and `podman inspect`: https://docs.docker.com/reference/cli/docker/inspect/,
 * https://docs.podman.io/en/latest/markdown/podman-inspect.1.html
 */
interface Inspected {
  readonly Id: string;
  readonly Name: string;
  readonly Image: string;
  /** Podman's name for `Config.Image`. */
  readonly ImageName?: string;
  /** Podman's; empty where it is in none. */
  readonly Pod?: string;
  readonly State: {
    readonly Status: string;
    readonly StartedAt: string;
    readonly ExitCode: number;
    readonly Health?: { readonly Status: string };
  };
  readonly Config: {
    readonly Image?: string;
    readonly Env?: string[];
    readonly Labels?: Record<string, string>;
  };
  readonly HostConfig: { readonly NetworkMode: string };
  readonly NetworkSettings: { readonly Networks?: Record<string, unknown> };
  readonly Mounts: {
    readonly Type: string;
    readonly Source?: string;
    readonly Destination: string;
    readonly RW: boolean;
  }[];
}

function containerOf({
  Id,
  Image,
  ImageName,
  Pod,
  State,
  Config,
  HostConfig,
  NetworkSettings,
  Mounts,
}: Inspected): Container {
  const env = (Config.Env ?? []).map((line) => {
    const at = line.indexOf('=');
    return [line.slice(0, at), line.slice(at + 1)] as const;
  });
  const { NetworkMode } = HostConfig;
  const networks = Object.keys(NetworkSettings.Networks ?? {});
  const health = State.Health?.Status;
  return {
    id: Id,
    service: Config.Labels?.[SERVICE] ?? '',
    image: Image,
    imageName: ImageName ?? Config.Image ?? Image,
    // Podman calls all networks of its own that, and has their names elsewhere.
    network: Pod !== undefined && NetworkMode === 'bridge' ? networks.join(',') || NetworkMode : NetworkMode,
    pod: Pod || undefined,
    env: new Map(env),
    mounts: Mounts.filter(({ Type }) => Type === 'volume' || Type === 'bind').map((mount) => ({
      path: mount.Destination,
      writable: mount.RW,
      source: mount.Type === 'bind' ? mount.Source?.replace(/\/$/, '') : undefined,
    })),
    status: State.Status,
    started: State.StartedAt,
    exitCode: State.ExitCode,
    health: health === 'none' ? undefined : health || undefined,
  };
}

/** Compose looks for its files, and for `.env`, from where it is started. */
const inFolder = (folder: string | undefined, argv: readonly string[]): readonly string[] =>
  folder === undefined ? argv : ['sh', '-c', 'cd -- "$1" && shift && exec "$@"', 'sh', folder, ...argv];

/** Why no Compose answers, as far as it can be seen. */
async function noCompose(host: Host, accounts: Accounts): Promise<UserError> {
  if (await accounts.firstAble(['root'], { argv: DOCKER_VERSION })) {
    return new UserError(
      `There is no Docker Compose on ${host.label}: neither docker compose nor docker-compose answers`,
      'Install it on the host: apt-get install docker-compose-plugin (or docker-compose).',
    );
  }
  if (await accounts.firstAble(['root'], { argv: ['podman', '--version'] })) {
    return new UserError(
      `There is podman on ${host.label}, and no Compose for it: neither podman-compose 1.0.6 or newer nor podman compose answers`,
      'Install podman-compose on the host, or docker-compose: then systemctl enable --now podman.socket.',
    );
  }
  const said = await run(host, { argv: DOCKER_VERSION }).catch((error: unknown) => {
    if (error instanceof CommandError) return error.exit.stderr;
    throw error;
  });
  return new UserError(
    `${host.user} may not use Docker on ${host.label}, or there is none (and no Podman): ${said}`,
    `Let the account use it on the host: usermod -aG docker ${host.user}. ${accounts.sudoersHint(['root'])}`,
  );
}
