// Chromium, as Debian has it, spoken to by its DevTools protocol: https://chromedevtools.github.io/devtools-protocol/
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface Look {
  readonly width: number;
  readonly height: number;
  readonly scheme: 'light' | 'dark';
  readonly phone?: boolean;
}

/** One page of a browser that is shown to nobody. */
export class Browser implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #socket: WebSocket;
  readonly #folder: string;
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  readonly #events = new Map<string, () => void>();
  #session = '';
  #last = 0;

  private constructor(child: ChildProcess, socket: WebSocket, folder: string) {
    this.#child = child;
    this.#socket = socket;
    this.#folder = folder;
    socket.addEventListener('message', ({ data }) => this.#take(JSON.parse(String(data))));
  }

  static async open(): Promise<Browser> {
    const folder = await mkdtemp(join(tmpdir(), 'browser-'));
    // Without its own sandbox, which root may not use: it shows pages of the tests alone.
    const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--no-first-run'];
    const args = [...flags, `--user-data-dir=${folder}`, '--remote-debugging-port=0', 'about:blank'];
    const child = spawn('chromium', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const socket = new WebSocket(await endpointOf(child));
    await once(socket, 'open');
    const browser = new Browser(child, socket, folder);
    const { targetId } = await browser.#ask<{ targetId: string }>('Target.createTarget', {
      url: 'about:blank',
    });
    const attached = await browser.#ask<{ sessionId: string }>('Target.attachToTarget', {
      targetId,
      flatten: true,
    });
    browser.#session = attached.sessionId;
    await browser.#ask('Page.enable', {});
    return browser;
  }

  /** Shows a page as a person would see it. */
  async show(url: string, { width, height, scheme, phone = false }: Look): Promise<void> {
    const features = [{ name: 'prefers-color-scheme', value: scheme }];
    await this.#ask('Emulation.setEmulatedMedia', { features });
    const metrics = { width, height, deviceScaleFactor: 1, mobile: phone };
    await this.#ask('Emulation.setDeviceMetricsOverride', metrics);
    const loaded = new Promise<void>((resolve) => this.#events.set('Page.loadEventFired', resolve));
    await this.#ask('Page.navigate', { url });
    await loaded;
  }

  /** The value of an expression in the page. */
  async evaluate<T>(expression: string): Promise<T> {
    const asked = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await this.#ask<{
      result: { value: T };
      exceptionDetails?: { text: string; exception?: { description?: string } };
    }>('Runtime.evaluate', asked);
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /** The whole page as a PNG. */
  async picture(): Promise<Buffer> {
    const asked = { format: 'png', captureBeyondViewport: true };
    const { data } = await this.#ask<{ data: string }>('Page.captureScreenshot', asked);
    return Buffer.from(data, 'base64');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exit = once(this.#child, 'exit');
    this.#socket.close();
    this.#child.kill('SIGTERM');
    await exit;
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #ask<T>(method: string, params: object): Promise<T> {
    this.#last += 1;
    const id = this.#last;
    const session = this.#session === '' ? {} : { sessionId: this.#session };
    this.#socket.send(JSON.stringify({ id, method, params, ...session }));
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
  }

  #take(message: { id?: number; method?: string; result?: never; error?: { message: string } }): void {
    if (message.id === undefined) {
      this.#events.get(message.method ?? '')?.();
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.error) waiting?.reject(new Error(message.error.message));
    else waiting?.resolve(message.result as never);
  }
}

async function endpointOf(child: ChildProcess): Promise<string> {
  if (!child.stderr) throw new Error('Chromium has no standard error');
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    said.push(line);
    const [, url] = /^DevTools listening on (ws:\S+)$/.exec(line) ?? [];
    if (url !== undefined) {
      child.stderr.resume();
      return url;
    }
  }
  throw new Error(`Chromium did not start:\n${said.join('\n')}`);
}
