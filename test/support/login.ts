import { readFileSync } from 'node:fs';
import type { Host } from '../../src/host/host.ts';
import { connect, type SshOptions } from '../../src/host/ssh/connect.ts';
import type { Sandbox } from './sandbox.ts';
import type { SshServer } from './sshd.ts';

/** An sshd that lets the sandbox's key in, and what tells that it is itself. */
interface Server extends Pick<SshServer, 'port' | 'user' | 'knownHosts'> {
  readonly host: string;
}

/** How to log in to a server by the sandbox's key. */
export function loginOptions(
  { keys }: Pick<Sandbox, 'keys'>,
  { host, port, user, knownHosts }: Server,
  overrides: Partial<SshOptions> = {},
): SshOptions {
  return {
    host,
    port,
    user,
    key: { pem: readFileSync(keys.plain, 'utf8') },
    trust: { knownHosts },
    jumps: [],
    connectTimeoutMs: 20_000,
    ...overrides,
  };
}

/** Logs in to it, and waits until it is known that it runs commands. */
export async function login(
  sandbox: Pick<Sandbox, 'keys'>,
  server: Server,
  overrides: Partial<SshOptions> = {},
): Promise<Host> {
  const host = await connect(loginOptions(sandbox, server, overrides));
  try {
    await host.proven;
    return host;
  } catch (error) {
    await host[Symbol.asyncDispose]();
    throw error;
  }
}
