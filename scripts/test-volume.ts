// Runs the tests of large things (files of gigabytes, 70,000 of them, a thousand objects and more), all of them or
// those given, with the sandbox started once for all.
import { globSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { runTests } from './run-tests.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
process.env.TMPDIR ??= tmpdir(); // not in memory
await runTests(root, globSync('test/volume/*.test.ts', { cwd: root }).sort());
