import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A monitor that runs ping, such as Healthchecks. */
export interface Monitor extends AsyncDisposable {
  /** To ping. */
  readonly url: string;
  /** `POST /ping/secret?a=b` and the body, of each request so far. */
  readonly pings: readonly (readonly [request: string, body: string])[];
  /** What it answers; 200 at first. */
  status: number;
}

export async function startMonitor(): Promise<Monitor> {
  const pings: [string, string][] = [];
  const server = createServer(async (request, response) => {
    pings.push([`${request.method} ${request.url}`, await text(request)]);
    response.writeHead(monitor.status).end('OK');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const monitor: Monitor = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/ping/secret`,
    pings,
    status: 200,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  return monitor;
}
