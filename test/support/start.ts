// Starts the sandbox and keeps it until Ctrl-C: `node test/support/start.ts`, then SANDBOX=<path> for what uses it.
import { startSandbox } from './sandbox.ts';

const started = performance.now();
const sandbox = await startSandbox();
console.error(
  `The sandbox is up after ${((performance.now() - started) / 1000).toFixed(1)} s. Ctrl-C ends it.`,
);
console.log(`SANDBOX=${sandbox.description}`);
setInterval(() => {}, 2 ** 30);
