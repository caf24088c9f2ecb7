import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, type TestContext, test } from 'node:test';
import { variableOf } from '../../src/platform/variables.ts';
import { compileCache } from '../support/compile-cache.ts';
import { fewestInputs, fewestVariables } from '../support/inputs.ts';
import { program } from '../support/program-folder.ts';

/** The program in a clean environment, and what it has printed once it has ended. */
function start(argv: readonly string[], env: Record<string, string | undefined>, signal: AbortSignal) {
  const child: ChildProcess = spawn(process.execPath, [program, ...argv], {
    env: { NODE_COMPILE_CACHE: compileCache, ...env } as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
    killSignal: 'SIGKILL',
  });
  child.on('error', () => {}); // the signal's; how the program ended tells
  const { stdout, stderr } = child;
  assert.ok(stdout && stderr);
  const ended = Promise.all([text(stdout), text(stderr), once(child, 'exit')]);
  return { child, ended: ended.then(([out, err, [code]]) => ({ out, err, code: code as number })) };
}

/** Starts a backup that waits for a server which takes connections and never answers, and waits until it does. */
async function startWaiting(t: TestContext, more: Record<string, string> = {}) {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const endpoint = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const connected = once(silent, 'connection');
  const inputs = Object.entries(fewestInputs).map(([name, value]) => [variableOf(name), value]);
  const credentials = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret-key' };
  const env = { ...Object.fromEntries(inputs), ...fewestVariables, ...credentials, ...more };
  const started = start(['--s3-endpoint', endpoint], env, t.signal);
  t.after(() => silent.close());
  const [socket] = await connected;
  t.after(() => socket.destroy());
  return started;
}

describe('a signal', { concurrency: true }, () => {
  for (const [signal, expected] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGQUIT', 131],
  ] as const) {
    test(`${signal} ends a run that waits for a server, with ${expected}`, async (t) => {
      const { child, ended } = await startWaiting(t);
      child.kill(signal);
      const { err, code } = await ended;
      assert.match(err, new RegExp(`^error: Cancelled \\(${signal}\\)$`, 'm'));
      assert.equal(code, expected);
    });
  }
});

describe('an error that nobody awaits', { concurrency: true }, () => {
  // As a package of others might have one: thrown by an event, or by a promise that was forgotten.
  for (const [what, statement] of [
    ['is thrown', "throw new RangeError('odd')"],
    ['is a rejection', "Promise.reject(new RangeError('odd'))"],
    ['is none', 'throw undefined'],
  ] as const) {
    test(`that ${what} ends the run as an error does: no bare stack, and what was begun is cleaned up`, async (t) => {
      const stray = `process.on('SIGUSR2', () => { ${statement} })`;
      const preload = `--import=data:text/javascript,${encodeURIComponent(stray)}`;
      const { child, ended } = await startWaiting(t, { NODE_OPTIONS: preload });
      child.kill('SIGUSR2');
      const { err, code } = await ended;
      assert.match(err, /^ *warning: The run ended with an unexpected error: (odd|undefined)$/m);
      assert.match(err, /^error: Unexpected error: (odd|undefined)$/m);
      assert.match(err, /report it with these lines/);
      assert.doesNotMatch(err, /Node\.js v\d/);
      assert.equal(code, 1);
    });
  }
});
