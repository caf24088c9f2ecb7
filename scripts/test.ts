// Runs the tests, all of them or the files given, with the sandbox started once for all.
import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runTests } from './run-tests.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const all = globSync('test/{unit,hostile,integration}/**/*.test.ts', { cwd: root }).sort();
await runTests(root, all);
