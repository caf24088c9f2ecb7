import { setTimeout as sleep } from 'node:timers/promises';
import type { Sandbox } from './sandbox.ts';
import { type BootedHost, bootHost, makeImage } from './systemd-host.ts';

/**
 * What runs the project: Compose 1.29 of Debian 12 or 2.26 of Debian 13, with Docker; podman-compose 1.3, or Docker's
 * Compose 2.26 through Podman's socket.
 */
export type Kind = 'bookworm' | 'trixie' | 'podman' | 'podman-socket';

const docker = {
  engine: 'docker',
  volumes: '/var/lib/docker/volumes',
  sudoers: '# none',
  prepare: ['true'],
} as const;
const podman = {
  engine: 'podman',
  volumes: '/var/lib/containers/storage/volumes',
  sudoers: 'deploy ALL=(root) NOPASSWD: ALL',
  image: 'podman',
} as const;
const KINDS = {
  bookworm: { ...docker, image: 'bookworm', program: ['docker-compose'] },
  trixie: { ...docker, image: 'trixie', program: ['docker', 'compose'] },
  podman: { ...podman, program: ['podman-compose'], prepare: ['true'] },
  'podman-socket': {
    ...podman,
    program: ['podman', 'compose'],
    prepare: ['systemctl', 'start', 'podman.socket'],
  },
} as const;

/**
 * A Debian on which a Compose project runs Odoo's stand-in twice (services `odoo` and `queue-worker`), and PostgreSQL
 * (service `db`). deploy may use Docker, and nothing else that root may; for Podman, deploy becomes root by sudo.
 */
export interface ComposeHost extends BootedHost {
  readonly engine: 'docker' | 'podman';
  /** Compose itself: `docker compose`. */
  readonly program: readonly string[];
  readonly project: '/srv/odoo';
  readonly database: 'shop';
  /** The folder of all filestores, which lie in a volume: where that is on the host. */
  readonly filestores: string;
  /** Where Odoo's pages are, from here. */
  readonly url: string;
  /** Runs Compose on the project, as root. */
  compose(...args: readonly string[]): Promise<string>;
}

/** Makes what all Compose hosts start from, where it is not there yet. @returns for `COMPOSE_HOSTS` */
export const makeComposeImages = (systemdLayers: string): Promise<string> =>
  makeImage('compose-host', systemdLayers);

/** Boots a fresh host and starts the project. Lets in the sandbox's client key. */
export async function startComposeHost({ keys }: Pick<Sandbox, 'keys'>, kind: Kind): Promise<ComposeHost> {
  const { engine, program, volumes, sudoers, image: root, prepare } = KINDS[kind];
  const lines = process.env.COMPOSE_HOSTS?.split('\n').map((line) => line.split(' ')) ?? [];
  const made = new Map(lines.map(([name = '', path = '']) => [name, path]));
  const [layers, images] = [made.get(root), made.get('images')];
  if (!layers || !images) throw new Error('This test needs a Compose host: run npm run test:hosts');
  const booted = await bootHost(keys, { layers, images, sudoers });
  const compose: ComposeHost['compose'] = (...args) =>
    booted.exec(['env', '--chdir=/srv/odoo', ...program, ...args]);
  try {
    await booted.exec(prepare);
    for (const image of ['db', 'odoo']) await booted.exec([engine, 'import', `/images/${image}.tar`, image]);
    await compose('up', '-d', 'db');
    await untilReady(() =>
      compose('exec', '-T', 'db', 'psql', '-qc', "ALTER ROLE odoo PASSWORD 's3cret of odoo'"),
    );
    // One after the other: two containers that are created at once may both fill the volume, and one of them fails.
    await compose('up', '-d', 'odoo');
    await compose('up', '-d');
    return {
      ...booted,
      engine,
      program,
      project: '/srv/odoo',
      database: 'shop',
      filestores: `${volumes}/odoo_odoo-data/_data/.local/share/Odoo/filestore`,
      url: `http://${booted.host}:8069`,
      compose,
    };
  } catch (error) {
    await booted[Symbol.asyncDispose]();
    throw error;
  }
}

const PATIENCE_MS = 180_000;

async function untilReady(attempt: () => Promise<unknown>): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; ; await sleep(200)) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}
