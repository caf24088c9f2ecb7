import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { startSandbox } from '../test/support/sandbox.ts';

/** Runs test files, those given as arguments or else all, with the sandbox started once for them. Sets the exit code. */
export async function runTests(
  root: string,
  all: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const options = process.argv.slice(2).filter((argument) => argument.startsWith('-'));
  const given = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
  const files = given.length > 0 ? given : all;

  await using sandbox = await startSandbox();
  const tests = spawn(
    process.execPath,
    ['--test', '--test-concurrency=2', '--test-timeout=600000', '--test-reporter=spec', ...options, ...files],
    { cwd: root, stdio: 'inherit', env: { ...process.env, ...env, SANDBOX: sandbox.description } },
  );
  // The sandbox stops itself on these, but knows nothing of the tests.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => tests.kill(signal));
  const [code] = await once(tests, 'exit');
  process.exitCode = code ?? 1;
}
