// Runs the tests, all of them or the files given, with the sandbox started once for all.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startSandbox } from '../test/support/sandbox.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const options = process.argv.slice(2).filter((argument) => argument.startsWith('-'));
const given = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const files =
  given.length > 0 ? given : globSync('test/{unit,integration}/**/*.test.ts', { cwd: root }).sort();

await using sandbox = await startSandbox();
const tests = spawn(
  process.execPath,
  ['--test', '--test-concurrency=2', '--test-timeout=600000', '--test-reporter=spec', ...options, ...files],
  { cwd: root, stdio: 'inherit', env: { ...process.env, SANDBOX: sandbox.description } },
);
// The sandbox stops itself on these, but knows nothing of the tests.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => tests.kill(signal));
const [code] = await once(tests, 'exit');
process.exitCode = code ?? 1;
