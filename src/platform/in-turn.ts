import type { Platform } from './platform.ts';

/** What a task has said: a line, the title of a group that begins, or that the last group, or all of it, has ended. */
type Said = { readonly print: () => void } | { readonly title: string } | 'end';

/** One task's log. */
export interface Turn {
  /** The platform that the task is given. */
  readonly platform: Platform;
  /** To be called when the task has ended. */
  end(): void;
}

/**
 * The log of tasks that run at the same time, as if they ran one after the other: what a task says is printed at once
 * when those before it have ended, and until then it is held. A progress line is worth nothing later: it is not held.
 */
export class LogInTurn {
  readonly #platform: Platform;
  #printed: Promise<void> = Promise.resolve();

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** Settles when everything is printed that was said in the turns taken so far. */
  get printed(): Promise<void> {
    return this.#printed;
  }

  next(): Turn {
    const platform = this.#platform;
    const said = new Queue();
    let live = false;
    this.#printed = this.#printed.then(() => {
      live = true;
      return printAll(said, platform);
    });
    const line = (print: () => void) => said.add({ print });
    return {
      platform: {
        ...platform,
        info: (message) => line(() => platform.info(message)),
        notice: (message) => line(() => platform.notice(message)),
        warning: (message) => line(() => platform.warning(message)),
        progress: (message, state) => live && line(() => platform.progress(message, state)),
        group: async (title, body) => {
          said.add({ title });
          try {
            return await body();
          } finally {
            said.add('end');
          }
        },
      },
      end: () => said.add('end'),
    };
  }
}

/** Prints until the end of the group, or of the task, that the queue is in. */
async function printAll(said: Queue, platform: Platform): Promise<void> {
  for (;;) {
    const next = await said.take();
    if (next === 'end') return;
    if ('print' in next) next.print();
    else await platform.group(next.title, () => printAll(said, platform));
  }
}

class Queue {
  readonly #waiting: Said[] = [];
  #added = Promise.withResolvers<void>();

  add(said: Said): void {
    this.#waiting.push(said);
    this.#added.resolve();
  }

  async take(): Promise<Said> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) return next;
      this.#added = Promise.withResolvers();
      await this.#added.promise;
    }
  }
}
