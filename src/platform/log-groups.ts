import { formatDuration } from '../util/format.ts';

/** How a CI's log shows a group. */
export interface GroupMarks {
  readonly begin: (title: string) => unknown;
  readonly end: () => unknown;
  readonly print: (line: string) => unknown;
}

/** A group that is open, or not shown yet. */
interface OpenGroup {
  readonly title: string;
  readonly startedAt: number;
  /** The one line that was said so far, where the group is not shown yet. */
  held: string | undefined;
  shown: boolean;
}

/** A phase that is still silent after this is shown, so that somebody who watches sees what is done. */
const PATIENCE_MS = 2000;

/**
 * The groups of a CI's log. One that nothing, or one line alone, was said in is a line of its own, with its time: a
 * person would have opened it for nothing.
 */
export class LogGroups {
  readonly #marks: GroupMarks;
  readonly #now: () => number;
  readonly #open: OpenGroup[] = [];

  /** @param now a clock that never goes back, in milliseconds */
  constructor(marks: GroupMarks, now: () => number = () => performance.now()) {
    this.#marks = marks;
    this.#now = now;
  }

  async group<T>(title: string, body: () => Promise<T>): Promise<T> {
    this.#show(); // what is around it has something inside
    const group: OpenGroup = { title, startedAt: this.#now(), held: undefined, shown: false };
    this.#open.push(group);
    const timer = setTimeout(() => this.#showOne(group), PATIENCE_MS);
    timer.unref();
    try {
      return await body();
    } finally {
      clearTimeout(timer);
      this.#close(group);
    }
  }

  /** A line of the log, which may be held until it is known whether more follow. */
  say(line: string): void {
    const group = this.#open.at(-1);
    if (group && !group.shown && group.held === undefined && !line.includes('\n')) {
      group.held = line;
      return;
    }
    this.#show();
    this.#marks.print(line);
  }

  /** Shows all that was held: to be called before what has a form of its own, such as a warning. */
  flush(): void {
    this.#show();
  }

  #close(group: OpenGroup): void {
    const at = this.#open.indexOf(group);
    if (at >= 0) this.#open.splice(at, 1);
    if (group.shown) {
      this.#marks.end();
      return;
    }
    const time = formatDuration(this.#now() - group.startedAt);
    const said = group.held === undefined ? '' : `: ${group.held.trim()}`;
    this.#marks.print(`${group.title}${said} (${time})`);
  }

  #show(): void {
    for (const group of this.#open) this.#showOne(group);
  }

  #showOne(group: OpenGroup): void {
    if (group.shown) return;
    group.shown = true;
    this.#marks.begin(group.title);
    if (group.held !== undefined) this.#marks.print(group.held);
    group.held = undefined;
  }
}
