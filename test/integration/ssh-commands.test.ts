import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Command, CommandError, type Host } from '../../src/host/host.ts';
import { run } from '../../src/host/run.ts';
import { connect, type SshOptions } from '../../src/host/ssh/connect.ts';
import { UserError } from '../../src/util/errors.ts';
import { useSandbox } from '../support/sandbox.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const { ssh, jump, keys } = useSandbox();

/** Any of the two servers' keys, for each machine on the way: some tests put a proxy before one of them. */
function login(overrides: Partial<SshOptions> = {}): Promise<Host> {
  const all = [...ssh.hostKeys.fingerprints, ...jump.hostKeys.fingerprints];
  const ports = [...(overrides.jumps ?? []), { port: overrides.port ?? ssh.port }].map(({ port }) => port);
  const trusted = ports.flatMap((port) => all.map((each) => `[127.0.0.1]:${port}=${each}`));
  return connect({
    host: ssh.host,
    port: ssh.port,
    user: ssh.user,
    key: { pem: readFileSync(keys.plain, 'utf8') },
    trust: { fingerprint: trusted.join(' ') },
    jumps: [],
    connectTimeoutMs: 20_000,
    ...overrides,
  });
}

const sh = (script: string, ...argv: string[]): Command => ({ argv: ['sh', '-c', script, 'sh', ...argv] });

/** Command lines of this machine's processes, for those that a test marks with a name of its own. */
function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8')];
      } catch {
        return []; // ended meanwhile
      }
    });
}

async function seenOnHost(mark: string): Promise<void> {
  for (let tries = 0; !commandLines().some((line) => line.includes(mark)); tries++) {
    assert.ok(tries < 2400, `does not run: ${mark}`);
    await sleep(25);
  }
}

async function goneFromHost(mark: string): Promise<void> {
  const running = () => commandLines().filter((line) => line.includes(mark));
  for (let tries = 0; running().length > 0; tries++) {
    assert.ok(tries < 400, `still runs: ${running().join('; ')}`);
    await sleep(25);
  }
}

const lost = (error: unknown) =>
  error instanceof UserError && new RegExp(`^Connection to ${ssh.user}@.* was lost: `).test(error.message);

suite('a command', () => {
  test('gets its arguments as they are, through the account’s login shell', async () => {
    await using host = await login();
    const nasty = [
      '',
      '-n',
      "it's",
      '"$HOME"',
      '`id`',
      'a\nb\n',
      '\\',
      "\\'",
      '*',
      '~',
      'naïve 🐘',
      '!!',
      ' ',
    ];
    const out = await run(host, { argv: ['printf', '%s\\0', ...nasty] });
    assert.deepEqual(out.split('\0').slice(0, -1), nasty);
  });

  test('gets its input, and its environment, secrets unseen', async () => {
    await using host = await login();
    const secret = ' pä$$ \\word" ';
    const process = await host.start({
      ...sh('echo started; cat; printf "|%s|%s" "$PGPASSWORD" "$PGHOST"', 'seen-8417'),
      secretEnv: { PGPASSWORD: secret },
      env: { PGHOST: '/run/pg sql' },
    });
    const started = await once(process.stdout, 'data');
    assert.equal(String(started[0]), 'started\n');
    assert.ok(
      commandLines().some((line) => line.includes('seen-8417')),
      'the command can be seen',
    );
    assert.ok(!commandLines().some((line) => line.includes(secret)), 'the secret cannot');
    process.stdin.end('input');
    const chunks = await process.stdout.toArray();
    assert.equal(Buffer.concat(chunks).toString(), `input|${secret}|/run/pg sql`);
  });

  for (const [script, ended] of [
    ['exit 0', { code: 0, signal: undefined }],
    ['exit 7', { code: 7, signal: undefined }],
    ['kill -s TERM $$', { code: undefined, signal: 'SIGTERM' }],
    ['kill -s KILL $$', { code: undefined, signal: 'SIGKILL' }],
    ['exec nonexistent-command', { code: 127, signal: undefined }],
  ] as const) {
    for (const guarded of [false, true]) {
      test(`${guarded ? 'guarded ' : ''}${script}`, async () => {
        await using host = await login();
        const process = await host.start({ ...sh(`echo out; ${script} 2>/dev/null`), guarded });
        assert.deepEqual(await process.exited, { ...ended, stderr: '' }); // nobody reads standard output
        assert.equal(String(Buffer.concat(await process.stdout.toArray())), 'out\n');
      });
    }
  }

  test('fails with its code and the end of its standard error', async () => {
    await using host = await login();
    const failing = run(host, sh('yes "früher" | head -n 5000 >&2; echo "the end" >&2; exit 3'));
    await assert.rejects(failing, (error) => {
      assert.ok(error instanceof CommandError);
      assert.equal(error.exit.code, 3);
      assert.match(error.exit.stderr, /früher\nthe end$/);
      assert.ok(Buffer.byteLength(error.exit.stderr) <= 4096);
      assert.ok(!error.exit.stderr.includes('\uFFFD'));
      return true;
    });
  });

  test('waits for its turn where sshd takes no more of them at once', async () => {
    await using host = await login();
    const asked = Array.from({ length: 25 }, (_, i) => run(host, sh('sleep 0.2; printf %s "$1"', String(i))));
    assert.deepEqual(
      await Promise.all(asked),
      asked.map((_, i) => String(i)),
    );
  });

  test('that reads no input does not block who writes it', async () => {
    await using host = await login();
    assert.equal(await run(host, { argv: ['echo', 'done'] }, { input: 'x'.repeat(8_000_000) }), 'done\n');
    const process = await host.start({ argv: ['head', '-c', '1'] });
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(65536);
      })(),
    );
    await assert.rejects(pipeline(endless, process.stdin), /reads no more/);
    assert.equal((await process.exited).code, 0);
  });

  test('that prints too much is ended', async () => {
    await using host = await login();
    await assert.rejects(
      run(host, { argv: ['yes', 'too-much-8417'] }, { maxBytes: 100_000 }),
      /more than 100000 bytes/,
    );
    await goneFromHost('too-much-8417');
  });

  test('is ended by a signal’s abort', async () => {
    await using host = await login();
    const cancel = new AbortController();
    const running = run(host, sh('echo; exec sleep 600.125'), { signal: cancel.signal });
    running.catch(() => {}); // awaited below
    await seenOnHost('600.125');
    cancel.abort(new Error('enough'));
    await assert.rejects(running, /^Error: enough$/);
    await goneFromHost('600.125');
  });

  test('ends with the host, though its input has ended', async () => {
    {
      await using host = await login();
      const process = await host.start(sh('echo; exec sleep 600.25'));
      process.stdin.end();
      await once(process.stdout, 'data');
    }
    await goneFromHost('600.25');
  });

  test('cannot start once the connection is closed', async () => {
    const host = await login();
    await host[Symbol.asyncDispose]();
    await host[Symbol.asyncDispose]();
    await assert.rejects(host.start({ argv: ['true'] }), /was closed/);
  });
});

suite('a stream', () => {
  for (const [name, jumps] of [
    ['straight', []],
    ['through a jump host', [jump]],
  ] as const) {
    test(`of 200 MB ${name}, with a slow reader, takes little memory and arrives whole`, async () => {
      await using host = await login({ jumps });
      const process = await host.start({ argv: ['head', '-c', '200000000', '/dev/zero'] });
      process.stdin.end();
      let bytes = 0;
      let peak = 0;
      const before = memory();
      // The reader is the slower one: it goes on when no more fits into what lies before it.
      const full = async () => {
        while (process.stdout.readableLength < process.stdout.readableHighWaterMark) await sleep(1);
      };
      await full();
      for await (const chunk of process.stdout as AsyncIterable<Buffer>) {
        const from = bytes;
        bytes += chunk.length;
        if (Math.floor(bytes / 4e6) > Math.floor(from / 4e6)) {
          peak = Math.max(peak, memory() - before);
          if (bytes < 195_000_000) await full();
        }
      }
      assert.equal(bytes, 200_000_000);
      assert.ok(peak < 100 * 2 ** 20, `${Math.round(peak / 2 ** 20)} MiB more`);
      assert.equal((await process.exited).code, 0);
    });
  }
});

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** In use, without what only waits to be collected. */
function memory(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

suite('a lost connection', () => {
  /** That all that runs, and all that is started then, fails with the connection's error. */
  async function everythingFails(host: Host, breakLine: () => void): Promise<void> {
    const waiting = await host.start({ ...sh('sleep 600'), guarded: true });
    const collecting = run(host, { ...sh('sleep 600'), guarded: true });
    const stream = await host.start({ argv: ['cat', '/dev/zero'] });
    const read = async () => {
      let bytes = 0;
      for await (const chunk of stream.stdout as AsyncIterable<Buffer>) {
        if (bytes < 1_000_000 && bytes + chunk.length >= 1_000_000) breakLine();
        bytes += chunk.length;
      }
    };
    await assert.rejects(read(), lost);
    await assert.rejects(stream.exited, lost);
    await assert.rejects(waiting.exited, lost);
    await assert.rejects(collecting, lost);
    await assert.rejects(host.start({ argv: ['true'] }), lost);
  }

  for (const through of [undefined, jump]) {
    const where = through ? ', before the jump host' : '';
    for (const [name, faults] of [
      ['reset', { cutAfterBytes: 5_000_000 }],
      ['gone silent', { silent: true }],
    ] as const) {
      test(`${name}${where}: every stream and command fails`, async () => {
        await using proxy = await startTcpProxy(through ?? ssh);
        const line = { user: ssh.user, host: ssh.host, port: proxy.port };
        await using host = await login({ silenceMs: 1000, ...(through ? { jumps: [line] } : line) });
        await everythingFails(host, () => {
          proxy.faults = faults;
        });
      });
    }

    test(`ended by the death of sshd${through ? ', behind a jump host' : ''}: the same`, async () => {
      await using host = await login({ jumps: through ? [through] : [] });
      await everythingFails(host, () => void run(host, sh('kill -s KILL $PPID')).catch(() => {}));
    });
  }

  test('ends a guarded command and its children, though they write nothing', async () => {
    await using proxy = await startTcpProxy(ssh);
    await using host = await login({ port: proxy.port });
    const process = await host.start({ ...sh('sleep 600.5 | sleep 600.5 & echo; wait'), guarded: true });
    await once(process.stdout, 'data');
    proxy.faults = { cutAfterBytes: 0 };
    await assert.rejects(run(host, { argv: ['true'] }), lost);
    await assert.rejects(process.exited, lost);
    await goneFromHost('600.5');
  });

  test('that only idles is kept alive', async () => {
    await using proxy = await startTcpProxy(ssh);
    await using host = await login({ port: proxy.port, silenceMs: 1200 });
    const process = await host.start(sh('echo begun; read line; echo "$line"'));
    const printed = process.stdout[Symbol.asyncIterator]();
    assert.equal(String((await printed.next()).value), 'begun\n');
    // Four questions of the keepalive come in the time in which a silent line is lost; each has an answer.
    for (let seen = proxy.bytes, changes = 0; changes < 16; await sleep(5)) {
      if (proxy.bytes === seen) continue;
      seen = proxy.bytes;
      changes++;
    }
    process.stdin.end('still there\n');
    assert.equal(String((await printed.next()).value), 'still there\n');
    assert.equal((await process.exited).code, 0);
  });
});
