import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { variableOf } from '../../src/platform/variables.ts';
import { version } from '../../src/util/version.ts';
import { compileCache } from '../support/compile-cache.ts';
import { fewestInputs, fewestVariables } from '../support/inputs.ts';
import { runProgram } from '../support/program.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** The program in a clean environment, and what it has printed once it has ended. */
function start(argv: readonly string[], env: Record<string, string | undefined> = {}, signal?: AbortSignal) {
  const child: ChildProcess = spawn(process.execPath, [main, ...argv], {
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

describe('the program', () => {
  test('--version', async () => {
    assert.deepEqual(await start(['--version']).ended, { out: `${version}\n`, err: '', code: 0 });
  });

  test('alone it says how it is used, and that nothing was done', async () => {
    const { stdout, log, exitCode } = await runProgram({ args: [], env: {} });
    assert.match(stdout, /^Usage: odoo-backup COMMAND \[options\]$/m);
    assert.ok(stdout.split('\n').length <= 22);
    assert.deepEqual([log, exitCode], ['', 2]);
  });

  test('alone, with variables that say what to do, it makes a backup', async () => {
    const { log, exitCode } = await runProgram({ args: [], env: { ODOO_BACKUP_SSH_HOST: 'a@b' } });
    assert.match(log, /s3-bucket: is required/);
    assert.equal(exitCode, 2);
  });

  for (const [args, pattern] of [
    [['--help'], /^Usage: odoo-backup COMMAND \[options\]$/m],
    [['help', 'gate'], /^Usage: odoo-backup gate \[options\]$/m],
    [['gate', '-h', '--all'], /^ {2}--aws-role-arn ARN /m],
    [['completion', 'bash'], /^complete -F _odoo_backup odoo-backup$/m],
    [['version'], /^\d+\.\d+\.\d+/],
  ] as const) {
    test(args.join(' '), async () => {
      const { stdout, log, exitCode } = await runProgram({ args, env: {} });
      assert.match(stdout, pattern);
      assert.deepEqual([log, exitCode], ['', 0]);
    });
  }

  test('a wrong command is all that it speaks of', async () => {
    const { stdout, log, exitCode } = await runProgram({ args: ['bakcup', '--nonsense'], env: {} });
    assert.equal(
      log,
      'error: bakcup: there is no such command; did you mean backup?\n  odoo-backup help lists the commands.\n',
    );
    assert.deepEqual([stdout, exitCode], ['', 2]);
  });

  test('is what npx runs: the command odoo-backup of the package', async (t) => {
    const root = new URL('../../', import.meta.url);
    const { bin } = JSON.parse(await readFile(new URL('package.json', root), 'utf8'));
    const folder = await mkdtemp(join(tmpdir(), 'bin-'));
    t.after(() => rm(folder, { recursive: true }));
    // npm links it into a folder of the PATH, and lets it be run.
    const [link, copy] = [join(folder, 'odoo-backup'), join(folder, bin['odoo-backup'])];
    await cp(new URL('dist', root), join(folder, 'dist'), { recursive: true });
    await chmod(copy, 0o755);
    await symlink(copy, link);
    const env = { PATH: `${folder}:${dirname(process.execPath)}:/usr/bin` };
    assert.equal((await promisify(execFile)('odoo-backup', ['--version'], { env })).stdout, `${version}\n`);
  });

  test('an older Node.js says that it is too old, in one line', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'old-'));
    t.after(() => rm(folder, { recursive: true }));
    const pretend = join(folder, 'old.cjs');
    await writeFile(pretend, "Object.defineProperty(process.versions, 'node', { value: '18.20.8' });");
    // As a module, as in the package, and as CommonJS, as where GitLab's component fetches dist alone.
    const entry = fileURLToPath(new URL('../../src/entry.js', import.meta.url));
    for (const name of ['main.mjs', 'main.cjs']) {
      await cp(entry, join(folder, name));
      const args = ['--require', pretend, join(folder, name)];
      const ended = await promisify(execFile)(process.execPath, args).catch((error) => error);
      assert.equal(ended.code, 1);
      assert.match(
        ended.stderr,
        /^error: odoo-backup needs Node.js 24 or newer, and this is 18\.20\.8\. .*\n$/,
      );
      assert.equal(ended.stderr.split('\n').length, 2);
    }
  });

  test('what was compiled is kept at home for the next start, and neither in a CI nor in the home of another', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'kept-'));
    t.after(() => rm(folder, { recursive: true }));
    const entry = join(folder, 'main.mjs');
    await cp(fileURLToPath(new URL('../../src/entry.js', import.meta.url)), entry);
    await mkdir(join(folder, 'program'));
    await writeFile(join(folder, 'program/main.mjs'), "export const start = () => console.log('started');");
    for (const [name, mode, more, expected] of [
      ['own', 0o755, {}, true],
      ['in-ci', 0o755, { CI: 'true' }, false],
      ['on-github', 0o755, { GITHUB_ACTIONS: 'true' }, false],
      ['open', 0o777, {}, false],
      ['absent', undefined, {}, false],
      ['open-cache', 0o755, { open: '.cache/odoo-backup' }, false],
    ] as const) {
      const home = join(folder, name);
      if (mode !== undefined) {
        await mkdir(home);
        await chmod(home, mode);
      }
      if ('open' in more) {
        await mkdir(join(home, more.open), { recursive: true });
        await chmod(join(home, '.cache'), 0o777);
      }
      const { stdout } = await promisify(execFile)(process.execPath, [entry], {
        env: { HOME: home, ...more },
      });
      assert.equal(stdout, 'started\n');
      const kept = globSync('.cache/odoo-backup/**/*', { cwd: home });
      assert.equal(kept.length > 0, expected, `${name}: ${kept}`);
    }
  });

  test('wrong inputs end with 2, and nothing but the problems is printed', async () => {
    const { stdout, log, exitCode } = await runProgram({ args: ['backup', '--ssh-hots', 'x'], env: {} });
    assert.equal(stdout, '');
    assert.match(log, /^error: --ssh-hots: unknown, did you mean --ssh-host\?\n/);
    assert.equal(exitCode, 2);
  });

  test('on GitHub secrets are masked before anything else', async () => {
    const env = {
      GITHUB_ACTIONS: 'true',
      INPUT_COMMAND: 'backup',
      'INPUT_DB-PASSWORD': 'hunter22',
      GITHUB_OUTPUT: '/dev/null',
    };
    const { stdout, exitCode } = await runProgram({ args: [], env });
    assert.match(stdout, /^::add-mask::hunter22\n::error::\d+ inputs need a change:/);
    assert.equal(exitCode, 2);
  });
});

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
