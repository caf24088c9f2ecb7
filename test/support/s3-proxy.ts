import { once } from 'node:events';
import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { Transform } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from './processes.ts';
import type { S3Server } from './s3.ts';
import { reset } from './tcp-proxy.ts';

/** A request as the rules and the tests see it. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

/** What goes wrong with a request. */
export type S3Fault =
  /** An S3 error instead of an answer; the server never sees the request. */
  | { readonly kind: 'error'; readonly status: number; readonly code: string }
  /** The connection is reset; the server never sees the request. */
  | { readonly kind: 'reset' }
  /** The server gets so many bytes of the request's body, and the connections are reset. */
  | { readonly kind: 'break-body'; readonly bytes: number }
  /** The server does as asked, and its answer is an S3 error all the same. */
  | { readonly kind: 'late-error'; readonly status: number; readonly code: string }
  /** The server does as asked, and the connection is reset before its answer. */
  | { readonly kind: 'lose-answer' }
  /** The server does as asked, and its answer waits. */
  | { readonly kind: 'withhold'; readonly until: () => Promise<void> }
  /** The body goes to the server no faster. */
  | { readonly kind: 'slow'; readonly bytesPerSecond: number }
  /** The answer has another ETag, or none. */
  | { readonly kind: 'etag'; readonly value?: string }
  /** The answer has another ETag, which is made of the right one. */
  | { readonly kind: 'map-etag'; readonly map: (etag: string) => string }
  /** The answer has another body, which is made of the right one. */
  | { readonly kind: 'map-body'; readonly map: (body: string) => string }
  /** The server never sees the request: its body is answered by something else. */
  | { readonly kind: 'stand-in'; readonly answer: (body: string, request: SeenRequest) => Promise<string> }
  /** One bit of this byte of the answer's body is another. */
  | { readonly kind: 'flip'; readonly at: number }
  /** The connection is reset after so many bytes of the answer's body. */
  | { readonly kind: 'truncate'; readonly bytes: number };

export interface S3Rule {
  readonly when: (request: SeenRequest) => boolean;
  readonly fault: S3Fault;
  /** How many requests it hits. Default: all. */
  readonly times?: number;
}

/** The S3 server as it looks through a proxy that breaks what the rules say. */
export interface S3Proxy extends S3Server, AsyncDisposable {
  /** The first that matches and has not been used up applies. May be set at any time. */
  rules: readonly S3Rule[];
  /** Every request so far. */
  readonly requests: readonly SeenRequest[];
  /** Breaks all connections and refuses new ones, as a server that ends. */
  goAway(): void;
  /** Listens again at the same address. */
  comeBack(): Promise<void>;
}

/**
 * Starts a proxy on a free port of 127.0.0.1. The Host header stays as the client sent and signed it (SigV4), so the
 * server checks the signature against the proxy's own address.
 */
export async function startS3Proxy(target: S3Server, rules: readonly S3Rule[] = []): Promise<S3Proxy> {
  const hits = new Map<S3Rule, number>();
  const requests: SeenRequest[] = [];

  const server = createServer((incoming, response) => {
    const url = new URL(incoming.url ?? '/', target.endpoint);
    const seen = {
      method: incoming.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: incoming.headers,
    };
    requests.push(seen);
    const unused = (rule: S3Rule) => (hits.get(rule) ?? 0) < (rule.times ?? Number.POSITIVE_INFINITY);
    const { socket } = incoming; // which a request that breaks loses
    const rule = proxy.rules.find((candidate) => unused(candidate) && candidate.when(seen));
    if (rule) hits.set(rule, (hits.get(rule) ?? 0) + 1);
    answer({ incoming, response }, target, seen, rule?.fault).catch(() => reset(socket));
  });
  const [port = 0] = await freePorts(1); // which nobody else takes while it is away
  const listen = async () => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  await listen();

  const proxy = {
    ...target,
    endpoint: `http://127.0.0.1:${port}`,
    rules,
    requests,
    goAway() {
      server.close();
      server.closeAllConnections();
    },
    comeBack: listen,
    async [Symbol.asyncDispose]() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  return proxy;
}

async function answer(
  { incoming, response }: { readonly incoming: IncomingMessage; readonly response: ServerResponse },
  target: S3Server,
  seen: SeenRequest,
  fault: S3Fault | undefined,
): Promise<void> {
  if (fault?.kind === 'reset') {
    reset(incoming.socket);
    return;
  }
  if (fault?.kind === 'error') {
    incoming.resume();
    await once(incoming, 'end');
    sayError(response, fault);
    return;
  }
  if (fault?.kind === 'stand-in') {
    const body = await fault.answer(await text(incoming), seen);
    response.writeHead(200, { 'content-type': 'application/xml' });
    response.end(body);
    return;
  }
  const { method, headers } = incoming;
  const outgoing = httpRequest(new URL(incoming.url ?? '/', target.endpoint), {
    method,
    headers,
    agent: false,
  });
  // Who asked may go away, and nobody reads the answer then: its connection would keep this process for a minute.
  response.once('close', () => outgoing.destroy());
  const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
  const sent = pipeline([incoming, ...onTheWay(fault), outgoing]);
  const [[upstream]] = await Promise.all([answered, sent]);

  if (fault?.kind === 'lose-answer' || fault?.kind === 'late-error') {
    upstream.resume();
    await once(upstream, 'end');
    if (fault.kind === 'late-error') sayError(response, fault);
    else reset(incoming.socket);
    return;
  }
  if (fault?.kind === 'withhold') await fault.until();
  const answerHeaders = { ...upstream.headers };
  if (fault?.kind === 'etag') {
    delete answerHeaders.etag;
    if (fault.value !== undefined) answerHeaders.etag = fault.value;
  }
  if (fault?.kind === 'map-etag' && answerHeaders.etag) answerHeaders.etag = fault.map(answerHeaders.etag);
  if (fault?.kind === 'map-body') {
    delete answerHeaders['content-length'];
    response.writeHead(upstream.statusCode ?? 502, answerHeaders);
    response.end(fault.map(await text(upstream)));
    return;
  }
  response.writeHead(upstream.statusCode ?? 502, answerHeaders);
  if (fault?.kind === 'truncate') await pipeline(upstream, cutAfter(fault.bytes), response);
  else if (fault?.kind === 'flip') await pipeline(upstream, flip(fault.at), response);
  else await pipeline(upstream, response);
}

function sayError(response: ServerResponse, { status, code }: { status: number; code: string }): void {
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(`<Error><Code>${code}</Code><Message>Said the fault proxy</Message></Error>`);
}

/** What the body of a request passes on its way to the server. */
function onTheWay(fault: S3Fault | undefined): Transform[] {
  if (fault?.kind === 'slow') return [throttle(fault.bytesPerSecond)];
  return fault?.kind === 'break-body' ? [cutAfter(fault.bytes)] : [];
}

function throttle(bytesPerSecond: number): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sleep((chunk.length / bytesPerSecond) * 1000).then(() => done(null, chunk), done);
    },
  });
}

/** Turns a bit of one byte over. */
function flip(at: number): Transform {
  let offset = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const here = at - offset;
      offset += chunk.length;
      if (here >= 0 && here < chunk.length) chunk[here] = (chunk[here] ?? 0) ^ 0x10;
      done(null, chunk);
    },
  });
}

/** Lets so many bytes through, and then breaks the pipeline. */
function cutAfter(bytes: number): Transform {
  let left = bytes;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const passing = chunk.subarray(0, left);
      left -= passing.length;
      this.push(passing);
      if (passing.length < chunk.length) setImmediate(done, new Error('cut by the fault proxy'));
      else done();
    },
  });
}
