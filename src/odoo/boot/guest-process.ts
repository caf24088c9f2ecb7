import { randomUUID } from 'node:crypto';
import type { Command, Host, Process } from '../../host/host.ts';
import { unlimited, untilAborted } from '../../host/limits.ts';
import type { OdooLog } from './odoo-log.ts';
import { printedLines } from './printed-lines.ts';

/** How long a program that was told to end may take by default. Then it is killed. */
const PATIENCE_SECONDS = 10;
/** How long its end is waited for beyond that. */
const GRACE_MS = 5000;
const LONGEST_LINE = 4000;

/**
 * Shell: runs a program with low priority, where the host can, and prints its exit code behind a mark: what it has left
 * running may keep the output open. The guard of the command tells all of them to end (`Command.guarded`); what still
 * writes into the pipe after that is killed, with the whole group. Should the memory of the host become full, the kernel ends
 * them before anything else.
 */
const SUPERVISE = `mark=$1 patience=$2; shift 2
  { echo 1000 >/proc/self/oom_score_adj; } 2>/dev/null
  if ionice -c 2 -n 7 true 2>/dev/null; then set -- ionice -c 2 -n 7 "$@"; fi
  if nice -n 10 true 2>/dev/null; then set -- nice -n 10 "$@"; fi
  killer=
  kill_late() {
    trap '' HUP INT TERM
    # By seconds: what is killed with it meanwhile leaves no longer sleep behind.
    while [ "$patience" -gt 0 ]; do sleep 1; patience=$((patience - 1)); done
    kill -s KILL 0
  }
  trap : HUP INT TERM
  { "$@" 2>&1; printf '\\n%s %s\\n' "$mark" "$?"; } | (trap '' HUP INT TERM; exec cat) &
  pipe=$!
  while :; do
    wait "$pipe"
    kill -0 "$pipe" 2>/dev/null || break
    [ -n "$killer" ] || { kill_late >/dev/null 2>&1 & killer=$!; }
  done
  [ -z "$killer" ] || kill -s KILL "$killer"`;

/** A program of a guest that runs. Disposing of it ends it, and what it has started. */
export class GuestProcess implements AsyncDisposable {
  /** Its exit code, as a shell has it, once it has ended. Rejects when the connection broke. */
  readonly exited: Promise<number>;
  readonly #process: Process;
  #code: number | undefined;

  private constructor(process: Process, log: OdooLog, mark: string) {
    this.#process = process;
    this.exited = this.#read(log, mark);
    this.exited.catch(() => {}); // for who awaits it
  }

  /**
   * It outlasts the run's limit: who started it ends it, and waits for that.
   *
   * @param log is told each line that it prints
   * @param patienceSeconds how long it may take to end once it was told to
   */
  static async start(
    host: Host,
    command: Command,
    log: OdooLog,
    patienceSeconds = PATIENCE_SECONDS,
  ): Promise<GuestProcess> {
    const mark = randomUUID();
    const argv = ['sh', '-c', SUPERVISE, 'sh', mark, String(patienceSeconds), ...command.argv];
    const process = await unlimited(() => host.start({ ...command, argv, guarded: true }));
    return new GuestProcess(process, log, mark);
  }

  /** undefined: it runs. */
  get code(): number | undefined {
    return this.#code;
  }

  async #read(log: OdooLog, mark: string): Promise<number> {
    const output = this.#process.stdout.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
    for await (const line of printedLines(output, LONGEST_LINE)) {
      if (line.startsWith(`${mark} `)) {
        this.#code = Number(line.slice(mark.length + 1)) || 0;
        return this.#code;
      }
      log.add(line);
    }
    // The shell itself was ended.
    const { code = 1 } = await this.#process.exited;
    this.#code = code === 0 ? 1 : code;
    return this.#code;
  }

  async #ended(): Promise<void> {
    await this.exited.catch(() => {});
    this.#process.stdout.resume();
    await this.#process.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.stdin.end(); // for the guard
    // The shell ends when nothing of what it has started is left. The log gets all of what they print.
    const late = AbortSignal.timeout(PATIENCE_SECONDS * 1000 + GRACE_MS);
    await untilAborted(this.#ended(), late).catch(() => {});
    await this.#process[Symbol.asyncDispose]();
  }
}
