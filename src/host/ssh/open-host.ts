import type { Host } from '../host.ts';
import { connect, type SshAccess } from './connect.ts';
import { ReconnectingHost } from './reconnecting-host.ts';

/** Time limit of one attempt to log in, jump hosts included. */
const CONNECT_TIMEOUT_MS = 20_000;

/** Where a connection is spoken of: the log of a run. */
interface Log {
  info(message: string): void;
}

/**
 * Logs in to a host, and tells the log before each further attempt.
 *
 * @throws UserError as `connect` does
 */
export const openHost = (access: SshAccess, log: Log, signal?: AbortSignal): Promise<Host> =>
  connect(
    { ...access, connectTimeoutMs: CONNECT_TIMEOUT_MS, onRetry: (message) => log.info(message) },
    signal,
  );

/** The same, but a lost connection is made again, also after the signal: what was begun has to be undone. */
export async function openReconnectingHost(access: SshAccess, log: Log, signal: AbortSignal): Promise<Host> {
  return new ReconnectingHost(await openHost(access, log, signal), () => {
    log.info('The connection is gone: logging in once more');
    return openHost(access, log);
  });
}
