import type { Client, ClientChannel } from 'ssh2';
import { isOpen, openSession } from './ssh2-internals.ts';

/** How many channels are kept open for the next commands, which mostly come several at once. */
const SPARE = 4;
/** sshd takes MaxSessions channels at once, 10 unless it is told otherwise. */
const MOST_CHANNELS = 9;

/**
 * Channels that are open before a command asks for one. To open one takes a round trip, and to begin a command in it
 * another one: with an open channel at hand, every command has its answer one round trip earlier.
 *
 * They stand in nobody's way: a command takes one of them before it asks for another.
 */
export class SpareChannels {
  readonly #client: Client;
  /** How many channels commands have. */
  readonly #taken: () => number;
  readonly #spare: ClientChannel[] = [];
  #opening = 0;
  #most = 0;

  constructor(client: Client, taken: () => number) {
    this.#client = client;
    this.#taken = taken;
  }

  /** How many channels were open at once so far, with those that commands have. */
  get mostAtOnce(): number {
    return this.#most;
  }

  /** An open channel in which nothing runs yet; undefined: there is none now. */
  take(): ClientChannel | undefined {
    for (;;) {
      const channel = this.#spare.shift();
      if (!channel || isOpen(channel)) return channel;
    }
  }

  /** Opens what is missing. A server that refuses is not asked again before something has changed. */
  topUp(): void {
    const room = MOST_CHANNELS - this.#taken() - this.#opening - this.#spare.length;
    const missing = Math.min(room, SPARE - this.#opening - this.#spare.length);
    for (let count = 0; count < missing; count++) {
      this.#opening++;
      openSession(this.#client).then(
        (channel) => {
          this.#opening--;
          channel.on('error', () => {}); // of a channel that nobody has taken: take() leaves it out
          this.#spare.push(channel);
          this.#most = Math.max(this.#most, this.#taken() + this.#spare.filter(isOpen).length);
        },
        () => this.#opening--,
      );
    }
  }
}
