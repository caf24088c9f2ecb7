import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sandbox } from './sandbox.ts';
import type { SshServer } from './sshd.ts';

/**
 * The start of a command line of OpenSSH's own client, for assertions: nothing of the machine's configuration, host
 * keys checked, no questions asked unless `options` has BatchMode=no.
 */
export async function openssh(
  sandbox: Sandbox,
  server: Pick<SshServer, 'port' | 'user' | 'knownHosts'>,
  ...options: string[]
): Promise<string[]> {
  const knownHosts = join(sandbox.folder, `known-hosts-${server.port}`);
  await writeFile(knownHosts, server.knownHosts);
  const checked = ['-o', `UserKnownHostsFile=${knownHosts}`, '-o', 'StrictHostKeyChecking=yes'];
  const where = ['-o', 'BatchMode=yes', '-p', String(server.port), `${server.user}@127.0.0.1`];
  return ['ssh', '-F', 'none', ...checked, ...options, ...where];
}
