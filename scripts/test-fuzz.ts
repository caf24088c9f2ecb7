// Runs the fuzz tests for minutes, with another seed each time: `FUZZ_SECONDS=600 npm run test:fuzz`. A failure names
// its seed, which FUZZ_SEED repeats.
import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runTests } from './run-tests.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const all = globSync('test/{unit,hostile,integration}/**/*fuzz.test.ts', { cwd: root }).sort();
await runTests(root, all, { FUZZ_SECONDS: process.env.FUZZ_SECONDS ?? '180' });
