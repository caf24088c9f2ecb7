import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What is wrong with the line, at the moment. */
export interface TcpFaults {
  /** One way, each way. */
  readonly delayMs?: number;
  readonly bytesPerSecond?: number;
  /** The connection breaks when so many bytes have passed, both ways counted, since the proxy started. */
  readonly cutAfterBytes?: number;
  /** How it breaks: with RST (the default) or, as when a program ends, with FIN. */
  readonly cutWith?: 'reset' | 'end';
  /** Nothing is forwarded any more, and nothing said: what a lost network looks like. */
  readonly silent?: boolean;
}

/** A line to a server that can be made worse while it is in use. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** May be set at any time; connections that are open follow. */
  faults: TcpFaults;
  /** Bytes that have passed, both ways. */
  readonly bytes: number;
  /** Bytes that came while it was silent, and went nowhere. */
  readonly lost: number;
  /** Connections that were made. */
  readonly connections: number;
  /** Breaks those that are open, now. */
  cut(): void;
}

/** Bytes that may be on their way in one direction before the sender is held back. */
const window = 4 * 2 ** 20;

/** Starts a proxy on a free port of 127.0.0.1. */
export async function startTcpProxy(
  target: { readonly host: string; readonly port: number },
  faults: TcpFaults = {},
): Promise<TcpProxy> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    proxy.connections += 1;
    const upstream = createConnection({ ...target, allowHalfOpen: true });
    const cut = (how: TcpFaults['cutWith']) => {
      for (const socket of [client, upstream]) {
        if (how === 'end') socket.destroySoon();
        else reset(socket);
      }
    };
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', () => cut('reset'));
      socket.on('close', () => open.delete(socket));
    }
    forward(client, upstream, cut);
    forward(upstream, client, cut);
  });

  /** One direction. Each chunk leaves `delayMs` after it came, or when the line has carried those before it. */
  function forward(from: Socket, to: Socket, cut: (how: TcpFaults['cutWith']) => void): void {
    let freeAt = 0;
    let underway = 0;
    let line = Promise.resolve();
    const send = (chunk: Buffer) => {
      const { delayMs = 0, bytesPerSecond = Number.POSITIVE_INFINITY } = proxy.faults;
      freeAt = Math.max(freeAt, performance.now()) + (chunk.length / bytesPerSecond) * 1000;
      const due = freeAt + delayMs;
      underway += chunk.length;
      if (underway > window) from.pause();
      line = line.then(async () => {
        const waitMs = due - performance.now();
        if (waitMs > 0) await sleep(waitMs);
        const { silent, cutAfterBytes = Number.POSITIVE_INFINITY, cutWith } = proxy.faults;
        if (silent) proxy.lost += chunk.length;
        if (silent || to.destroyed) return;
        const passing = chunk.subarray(0, Math.max(0, cutAfterBytes - proxy.bytes));
        proxy.bytes += passing.length;
        if (!to.write(passing)) await Promise.race([once(to, 'drain'), once(to, 'close')]).catch(() => {});
        if (passing.length < chunk.length) return cut(cutWith);
        underway -= chunk.length;
        if (underway <= window) from.resume();
      });
    };
    from.on('data', send);
    from.on('end', () => {
      line = line.then(() => void (proxy.faults.silent || to.end()));
    });
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = {
    port: (server.address() as AddressInfo).port,
    faults,
    bytes: 0,
    lost: 0,
    connections: 0,
    cut() {
      for (const socket of open) reset(socket);
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
  return proxy;
}

/**
 * Breaks a connection with RST. Not where our own FIN is on its way: libuv then refuses (EINVAL), Node takes the
 * handle for closed all the same, and this process would wait for it for ever when it ends.
 */
export function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
