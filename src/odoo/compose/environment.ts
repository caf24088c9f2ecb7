import { text } from 'node:stream/consumers';
import { CommandError, type Host } from '../../host/host.ts';
import { run } from '../../host/run.ts';
import { tarEntries } from '../../host/tar.ts';
import { messageOf, UserError } from '../../util/errors.ts';
import type { Engine } from './container-host.ts';
import type { Container } from './project.ts';

/** What a container is told by its environment, and by the files that this names. */
export class ContainerEnvironment {
  readonly #engine: Engine;
  readonly #container: Container;
  readonly #beside: Host;

  /** @param beside sees the container's volumes, whether that runs or not */
  constructor(engine: Engine, container: Container, beside: Host) {
    this.#engine = engine;
    this.#container = container;
    this.#beside = beside;
  }

  /** The first of the variables that is set. */
  plain(names: readonly string[]): string | undefined {
    return names
      .map((name) => this.#container.env.get(name))
      .find((each) => each !== undefined && each !== '');
  }

  /**
   * The first that is set, or whose name with `_FILE` is: the entry points of PostgreSQL's and Odoo's images take the
   * content of that file, as of a secret of Compose (`file_env` in docker-entrypoint.sh, `PASSWORD_FILE` in
   * entrypoint.sh). Where both are set, PostgreSQL's does not start, and Odoo's takes the file.
   *
   * @throws UserError naming the variable when the file cannot be read
   */
  async value(names: readonly string[]): Promise<string | undefined> {
    for (const name of names) {
      const path = this.plain([`${name}_FILE`]);
      const found = path === undefined ? this.plain([name]) : await this.#content(`${name}_FILE`, path);
      if (found) return found;
    }
    return undefined;
  }

  async #content(variable: string, path: string): Promise<string> {
    const { service, status, mounts } = this.#container;
    const mounted = mounts.some((mount) => `${path}/`.startsWith(`${mount.path.replace(/\/$/, '')}/`));
    try {
      const content = await (mounted ? this.#fromVolume(path) : this.#fromContainer(path));
      return content.replace(/\n+$/, ''); // as the shell's $(< file)
    } catch (error) {
      throw new UserError(
        `${variable} of the service ${service}, which is ${status}, names ${path}, which cannot be read: ${messageOf(error)}`,
        'Check the secrets of the service, start it where they are there only then, or set db-user and db-password.',
        { cause: error },
      );
    }
  }

  /** A secret of Compose is one file that is mounted: Podman copies none out of a container that is stopped. */
  #fromVolume(path: string): Promise<string> {
    return run(this.#beside, { argv: ['cat', '--', path] }, { maxBytes: MOST_BYTES });
  }

  /**
   * Reads a file of the container through the engine: this works in a stopped container, and for a file that only some
   * accounts may read.
   */
  async #fromContainer(path: string): Promise<string> {
    const { machine, program, as } = this.#engine;
    const command = { argv: [program, 'cp', `${this.#container.id}:${path}`, '-'], as };
    await using copying = await machine.start(command);
    copying.stdin.end();
    for await (const { size, content } of tarEntries(copying.stdout)) {
      if (size > MOST_BYTES) throw new Error(`it has ${size} bytes`);
      return await text(content);
    }
    const exit = await copying.exited;
    throw exit.code === 0 ? new Error('it is no file') : new CommandError(command, exit);
  }
}

/** No password is as long. */
const MOST_BYTES = 64 * 1024;
