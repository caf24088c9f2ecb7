import type { HostLook } from '../backup/look.ts';
import type { BackupOptions } from '../backup/options.ts';
import type { Host } from '../host/host.ts';
import type { SshAccess } from '../host/ssh/connect.ts';
import { openHost, openReconnectingHost } from '../host/ssh/open-host.ts';
import type { Run } from '../platform/run.ts';
import { type Ahead, ahead } from '../util/begun.ts';

/**
 * Logs in to a host and begins to look at it, while the rest of a backup is loaded, and S3 is asked: over a long line
 * that takes a second, of which this machine has little to do.
 */
export const lookingAtHost = (inputs: BackupOptions, { platform, signal }: Run): Ahead<HostLook> =>
  ahead(async (givenUp) => {
    const connecting = openHost(inputs.ssh, platform, AbortSignal.any([signal, givenUp]));
    connecting.catch(() => {}); // awaited below
    const { lookAt } = await import('../backup/look.ts');
    return lookAt(await connecting, inputs, platform);
  });

/**
 * Logs in to a host while the rest of a command is loaded, and S3 is asked. A lost connection is made again, also after
 * the signal.
 */
export const loggingInForGood = (ssh: SshAccess, { platform, signal }: Run): Ahead<Host> =>
  ahead((givenUp) => openReconnectingHost(ssh, platform, AbortSignal.any([signal, givenUp])));
