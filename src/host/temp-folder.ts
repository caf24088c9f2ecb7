import { inwardCodec, packed } from './codecs.ts';
import { feed } from './feed.ts';
import type { Host, Process } from './host.ts';
import { CommandError } from './host.ts';
import { run } from './run.ts';
import type { HostTools } from './tools.ts';

/** Exit code of the script when no place has the space: EX_TEMPFAIL of sysexits.h. */
const NO_SPACE = 75;

/** The beginning of a loop over the places that have so many KiB free. */
const FOR_EACH_PLACE = `for place in "\${TMPDIR:-/tmp}" /var/tmp; do
        free=$(df -Pk -- "$place" | awk 'NR == 2 { print $4 }')
        [ "\${free:-0}" -ge "$1" ] || continue`;

/**
 * Shell, to stand before the folder is made: removes `$folder` when the shell ends, also by signals. These often come
 * twice: to the process group, and once more through sudo. The second may interrupt the trap of the first, so each of
 * them removes before it exits. What runs in the background is killed: a signal that comes between its fork and its
 * exec ends the shell and not it.
 */
export const REMOVE_AT_END = `folder=
    remove() {
      trap '' HUP INT TERM PIPE
      [ -z "$!" ] || kill -s KILL "$!" 2>/dev/null
      rm -rf -- "$folder"
    }
    trap remove EXIT; trap 'remove; exit 143' HUP INT TERM PIPE`;

/**
 * Shell: makes a folder in `place`, and gives its name. mktemp hears no signal: one that ended it between making the
 * folder and telling of it would leave it there.
 */
export const makeFolderIn = (place: string): string =>
  `$(trap '' HUP INT TERM PIPE; exec mktemp -d "${place}/odoo-backup.XXXXXX")`;

/**
 * A folder on the host that only its account may enter. A guarded shell holds it and removes it when it is disposed
 * of, and also when the connection breaks.
 */
export class TempFolder implements AsyncDisposable {
  readonly host: Host;
  readonly path: string;
  readonly #as: string | undefined;
  readonly #holder: Process;

  private constructor(host: Host, as: string | undefined, path: string, holder: Process) {
    this.host = host;
    this.path = path;
    this.#as = as;
    this.#holder = holder;
  }

  /**
   * Makes one where there is space: in TMPDIR or /tmp, else in /var/tmp.
   *
   * @param as the account it belongs to, for `Command.as`
   * @returns undefined when neither has the space
   * @throws CommandError
   */
  static async make(
    host: Host,
    as: string | undefined,
    neededBytes: number,
  ): Promise<TempFolder | undefined> {
    const script = `${REMOVE_AT_END}
      ${FOR_EACH_PLACE}
        folder=${makeFolderIn('$place')} || continue
        printf '%s\\n' "$folder"
        while :; do sleep 3600 & wait; done
      done; exit ${NO_SPACE}`;
    const command = {
      argv: ['sh', '-c', script, 'sh', String(Math.ceil(neededBytes / 1024))],
      as,
      guarded: true,
    };
    const holder = await host.start(command);
    let path = '';
    // `destroyOnReturn`: its standard output stays open for as long as the folder is there.
    for await (const chunk of holder.stdout.iterator({ destroyOnReturn: false })) {
      path += chunk;
      if (path.endsWith('\n')) return new TempFolder(host, as, path.trimEnd(), holder);
    }
    const exit = await holder.exited;
    if (exit.code === NO_SPACE) return undefined;
    throw new CommandError(command, exit);
  }

  /**
   * Writes a file into it. Its bytes are compressed on their way.
   *
   * @returns its path
   * @throws what `feed` does
   */
  async write(
    name: string,
    bytes: AsyncIterable<Buffer>,
    { tools, signal }: { readonly tools: HostTools; readonly signal?: AbortSignal | undefined },
  ): Promise<string> {
    const path = `${this.path}/${name}`;
    const codec = inwardCodec(tools);
    const argv = ['sh', '-c', `umask 077; exec ${codec?.decode.join(' ') ?? 'cat'} >"$1"`, 'sh', path];
    await feed(this.host, { argv, as: this.#as }, packed(bytes, codec), signal);
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#holder[Symbol.asyncDispose]();
  }

  /** The folder in which `make` would make one, read only; undefined: neither has the space. */
  static async placeFor(
    host: Host,
    as: string | undefined,
    neededBytes: number,
  ): Promise<string | undefined> {
    const script = `${FOR_EACH_PLACE}
        printf %s "$place"; exit
      done`;
    const needed = String(Math.ceil(neededBytes / 1024));
    const place = await run(host, { argv: ['sh', '-c', script, 'sh', needed], as });
    return place === '' ? undefined : place;
  }
}
