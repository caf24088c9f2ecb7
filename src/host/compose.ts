import { UserError } from '../errors.ts';
import type { Accounts } from './accounts.ts';
import { DOCKER } from './container-host.ts';
import { type Command, CommandError, type Host } from './host.ts';
import { quote } from './quote.ts';
import { run } from './run.ts';

/** Which project of Docker Compose, and which of its services are what. */
export interface ComposeSettings {
  /** In the order in which Compose merges them; none: Compose looks in the project's folder. */
  readonly files: readonly string[];
  readonly projectDirectory: string | undefined;
  /** undefined: Odoo runs outside of Compose. */
  readonly odooService: string | undefined;
  /** undefined: PostgreSQL runs outside of Compose. */
  readonly dbService: string | undefined;
}

/** A container of a service, as `docker inspect` shows it. */
export interface Container {
  readonly id: string;
  readonly service: string;
  readonly image: string;
  /** In the form of `docker run --network`. */
  readonly network: string;
  readonly env: ReadonlyMap<string, string>;
  /** Folders that outlive the container. */
  readonly mounts: readonly { readonly path: string; readonly writable: boolean }[];
  /** `running`, `exited`, `restarting`, `created`, `paused`, `dead`. */
  readonly status: string;
  readonly exitCode: number;
  /** Of its health check: `starting`, `healthy`, `unhealthy`; undefined: it has none. */
  readonly health: string | undefined;
}

/** A project of Docker Compose on a host. Names differ between its versions: so Compose itself is asked for all. */
export class Compose {
  readonly host: Host;
  /** The account that may use Docker, for `Command.as`. */
  readonly as: string | undefined;
  /** For people: `docker compose 2.26.1`. */
  readonly version: string;
  /** The names of all services. */
  readonly services: readonly string[];
  readonly #program: readonly string[];
  readonly #settings: ComposeSettings;
  /** Of the containers of services that were asked for. */
  readonly #ids = new Map<string, readonly string[]>();

  private constructor(
    host: Host,
    found: Pick<Compose, 'as' | 'version' | 'services'> & { readonly program: readonly string[] },
    settings: ComposeSettings,
  ) {
    this.host = host;
    ({ as: this.as, version: this.version, services: this.services, program: this.#program } = found);
    this.#settings = settings;
  }

  /** Finds Compose, 2 before 1, and reads the project. @throws UserError naming the input to change */
  static async open(host: Host, accounts: Accounts, settings: ComposeSettings): Promise<Compose> {
    const docker = [DOCKER, 'version', '--format', '{{.Server.Version}}'];
    const able = await accounts.firstAble(['root'], { argv: docker });
    if (!able) throw await noDocker(host, accounts, docker);
    const { as } = able;
    const script = `for each in '${DOCKER} compose' '${DOCKER}-compose'; do
        version=$($each version --short 2>/dev/null) && { printf '%s\\n%s' "$each" "$version"; exit; }
      done; exit 3`;
    const probe = await run(host, { argv: ['sh', '-c', script], as }).catch((error) => {
      if (!(error instanceof CommandError)) throw error;
      throw new UserError(
        `There is no Docker Compose on ${host.label}: neither docker compose nor docker-compose answers`,
        'Install it on the host: apt-get install docker-compose-plugin (or docker-compose).',
      );
    });
    const [words = '', version = ''] = probe.trim().split('\n');
    const program = words.split(' ');
    const found = { as, version: `${words} ${version.replace(/^v/, '')}`, program, services: [] };
    const services = await new Compose(host, found, settings).#ask(['config', '--services']);
    return new Compose(host, { ...found, services: services.split('\n').filter(Boolean).sort() }, settings);
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
    const name = services.join(' ');
    const known = this.#ids.get(name);
    if (known) {
      // Compose 1.29 takes a second to tell what stays as it is: what it stops and starts keeps its container.
      const there = await this.#inspect(known).catch((error) => {
        if (!(error instanceof CommandError)) throw error;
        return undefined;
      });
      if (there) return there;
    }
    const ids = (await this.#ask(['ps', '--all', '--quiet', ...services])).split('\n').filter(Boolean);
    const found = await this.#inspect(ids);
    if (found.length > 0) this.#ids.set(name, ids);
    return found;
  }

  async #inspect(ids: readonly string[]): Promise<Container[]> {
    if (ids.length === 0) return [];
    const inspect = [DOCKER, 'inspect', '--type', 'container', ...ids];
    const described = JSON.parse(await run(this.host, { argv: inspect, as: this.as })) as Inspected[];
    return described.filter(({ Config }) => !/^true$/i.test(Config.Labels?.[ONE_OFF] ?? '')).map(containerOf);
  }

  /** A command of Compose on this project. */
  command(args: readonly string[]): Command {
    return { argv: inFolder(this.#settings.projectDirectory, this.#words(args)), as: this.as };
  }

  /** The same for people, who are in the project's folder. */
  shown(args: readonly string[]): string {
    const sudo = this.as === undefined || this.as === this.host.user ? [] : ['sudo'];
    return quote([...sudo, ...this.#words(args)]);
  }

  #words(args: readonly string[]): string[] {
    const { files, projectDirectory } = this.#settings;
    const directory =
      projectDirectory !== undefined && files.length > 0 ? ['--project-directory', projectDirectory] : [];
    return [...this.#program, ...directory, ...files.flatMap((file) => ['-f', file]), ...args];
  }

  async #ask(args: readonly string[]): Promise<string> {
    try {
      return await run(this.host, this.command(args));
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      throw new UserError(
        `${this.shown(args)} failed on ${this.host.label}: ${error.exit.stderr}`,
        'Check compose-file and compose-project-directory: they have to be those that the project was started with.',
        { cause: error },
      );
    }
  }
}

const ONE_OFF = 'com.docker.compose.oneoff';
const SERVICE = 'com.docker.compose.service';

/** Of `docker inspect`: https://docs.docker.com/reference/cli/docker/inspect/ */
interface Inspected {
  readonly Id: string;
  readonly Image: string;
  readonly State: {
    readonly Status: string;
    readonly ExitCode: number;
    readonly Health?: { readonly Status: string };
  };
  readonly Config: { readonly Env?: string[]; readonly Labels?: Record<string, string> };
  readonly HostConfig: { readonly NetworkMode: string };
  readonly Mounts: { readonly Type: string; readonly Destination: string; readonly RW: boolean }[];
}

function containerOf({ Id, Image, State, Config, HostConfig, Mounts }: Inspected): Container {
  const env = (Config.Env ?? []).map((line) => {
    const at = line.indexOf('=');
    return [line.slice(0, at), line.slice(at + 1)] as const;
  });
  const health = State.Health?.Status;
  return {
    id: Id,
    service: Config.Labels?.[SERVICE] ?? '',
    image: Image,
    network: HostConfig.NetworkMode,
    env: new Map(env),
    mounts: Mounts.filter(({ Type }) => Type === 'volume' || Type === 'bind').map((mount) => ({
      path: mount.Destination,
      writable: mount.RW,
    })),
    status: State.Status,
    exitCode: State.ExitCode,
    health: health === 'none' ? undefined : health,
  };
}

/** Compose looks for its files, and for `.env`, from where it is started. */
const inFolder = (folder: string | undefined, argv: readonly string[]): readonly string[] =>
  folder === undefined ? argv : ['sh', '-c', 'cd -- "$1" && shift && exec "$@"', 'sh', folder, ...argv];

async function noDocker(host: Host, accounts: Accounts, argv: readonly string[]): Promise<UserError> {
  const said = await run(host, { argv }).catch((error: unknown) => {
    if (error instanceof CommandError) return error.exit.stderr;
    throw error;
  });
  return new UserError(
    `${host.user} may not use Docker on ${host.label}, or there is none: ${said}`,
    `Let the account use it on the host: usermod -aG docker ${host.user}. ${accounts.sudoersHint(['root'])}`,
  );
}
