import type { Host } from '../host/host.ts';
import type { SshAccess } from '../host/ssh/connect.ts';
import { openHost, openReconnectingHost } from '../host/ssh/open-host.ts';
import type { Run } from '../platform/run.ts';
import { type Ahead, ahead } from '../util/begun.ts';

/**
 * Logs in to a host while the rest of a command is loaded, and S3 is asked: over a long line that takes half a second, of
 * which this machine has little to do.
 */
export const loggingIn = (ssh: SshAccess, { platform, signal }: Run): Ahead<Host> =>
  ahead((givenUp) => openHost(ssh, platform, AbortSignal.any([signal, givenUp])));

/** The same, but a lost connection is made again, also after the signal. */
export const loggingInForGood = (ssh: SshAccess, { platform, signal }: Run): Ahead<Host> =>
  ahead((givenUp) => openReconnectingHost(ssh, platform, AbortSignal.any([signal, givenUp])));
