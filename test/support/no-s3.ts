import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** Something that listens where an S3 service is expected. */
export interface NoS3 extends AsyncDisposable {
  readonly port: number;
  /** With http:// in front. */
  readonly endpoint: string;
}

async function listening(server: Server, close: () => void): Promise<NoS3> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    endpoint: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      close();
      await closed;
    },
  };
}

/** A web server that gives every request this answer. */
export function startWeb(status: number, headers: Record<string, string>, body: string): Promise<NoS3> {
  const answer: RequestListener = (request, response) => {
    request.resume();
    request.on('end', () => response.writeHead(status, headers).end(body));
  };
  const server = createHttpServer(answer);
  return listening(server, () => server.closeAllConnections());
}

/** A proxy that answers for every server itself, and gives no tunnel to any. */
export async function startProxy(answer: string): Promise<NoS3 & { readonly asked: readonly string[] }> {
  const asked: string[] = [];
  const server = createHttpServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.writeHead(200, { 'content-type': 'application/xml' }).end(answer);
  });
  server.on('connect', (request, socket) => {
    asked.push(`CONNECT ${request.url}`);
    socket.on('error', () => {});
    socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
  });
  const proxy = await listening(server, () => server.closeAllConnections());
  return { ...proxy, asked };
}

/** A server of another protocol, which speaks first. */
export function startBanner(banner: string): Promise<NoS3> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.write(banner);
  });
  return listening(server, () => {
    for (const socket of sockets) socket.destroy();
  });
}
