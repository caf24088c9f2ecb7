import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Run } from './backup-run.ts';

/**
 * A page that says how Odoo is: before the swap at once; then it keeps whoever asks waiting, until that one gives up.
 */
export interface HeldHealth extends AsyncDisposable {
  /** Value of `health-check`. */
  readonly check: string;
  /** Waits until the run asks after the swap. @throws Error when the run ends before */
  reached(run: Run): Promise<void>;
  /** Tells those that wait that all is well. */
  letGo(): void;
}

export async function heldHealth(): Promise<HeldHealth> {
  let asked = 0;
  let isGivenUp = false;
  const waiting: ServerResponse[] = [];
  const begun = Promise.withResolvers<void>();
  const server = createServer((_, response) => {
    asked += 1;
    if (asked === 1 || isGivenUp) return response.end('ok');
    waiting.push(response);
    response.once('close', () => {
      isGivenUp = true;
    });
    begun.resolve();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    check: `http://127.0.0.1:${port}/ from runner within 5m`,
    async reached(run) {
      const ended = run.ended.then(({ log }) => {
        throw new Error(`The run never asked whether Odoo is healthy:\n${log}`);
      });
      ended.catch(() => {});
      await Promise.race([begun.promise, ended]);
    },
    letGo() {
      for (const response of waiting.splice(0)) response.end('ok');
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}
