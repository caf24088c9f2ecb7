import { debuglog } from 'node:util';

const log = debuglog('odoo-backup-questions');

/**
 * Notes a question to the host or to S3, for whoever wants to know how many were asked one after the other:
 * `NODE_DEBUG=odoo-backup-questions` prints a line for each, once its answer begins. `npm run bench` counts them.
 *
 * @param what a program or a request by its name alone: arguments may be secret
 * @returns to be called when the answer begins; later calls do nothing
 */
export function asking(whom: 'host' | 's3', what: string): () => void {
  if (!log.enabled) return () => {};
  const began = performance.now();
  let isAnswered = false;
  return () => {
    if (isAnswered) return;
    isAnswered = true;
    log('%s %s %d %d', whom, what, began.toFixed(1), performance.now().toFixed(1));
  };
}
