import { type Growth, grow } from '../../test/support/growth.ts';
import { createOdoo, type Odoo } from '../../test/support/odoo.ts';
import { psql } from '../../test/support/postgres.ts';
import { freePorts, run } from '../../test/support/processes.ts';
import type { Sandbox } from '../../test/support/sandbox.ts';

/** An Odoo that both contenders back up. Sizes in bytes. */
export interface Data {
  readonly odoo: Odoo;
  /** Where it listens when it is started. */
  readonly httpPort: number;
  readonly databaseBytes: number;
  readonly filestoreBytes: number;
  readonly files: number;
}

const KiB = 1024;
const MiB = 1024 * KiB;

/** What is added to the fixture: `small` is the fixture as it is. */
export const sizes = {
  small: {},
  large: {
    partners: 850_000,
    attachments: [
      { count: 2500, size: 5 * KiB, kind: 'photo' },
      { count: 1500, size: 80 * KiB, kind: 'photo' },
      { count: 600, size: 400 * KiB, kind: 'photo' },
      { count: 150, size: 3 * MiB, kind: 'photo' },
      { count: 40, size: 20 * MiB, kind: 'photo' },
      { count: 400, size: 60 * KiB, kind: 'report' },
      { count: 60, size: 5 * MiB, kind: 'report' },
      { count: 5, size: 20 * MiB, kind: 'report' },
    ],
  },
} as const satisfies Record<string, Growth>;

/** Makes the data, and reads it once: nobody starts on a cold page cache. */
export async function prepare(sandbox: Sandbox, name: string, growth: Growth): Promise<Data> {
  const { postgres } = sandbox;
  const [httpPort = 0] = await freePorts(1);
  const options = { http_interface: '127.0.0.1', http_port: String(httpPort) };
  const odoo = await createOdoo(sandbox, {
    fixture: 'full',
    database: `bench_${name.replaceAll(/\W/g, '_').toLowerCase()}`,
    options,
  });
  await grow(sandbox, odoo, growth);
  await psql(postgres, odoo.database, 'VACUUM ANALYZE');
  await run(['sh', '-c', 'tar -C "$1" -cf - . | cat >/dev/null', 'sh', odoo.filestore]);
  const connection = ['-h', postgres.socket, '-p', String(postgres.port), '-U', 'odoo'];
  await run([
    `${postgres.bin}/pg_dump`,
    ...connection,
    '-Fc',
    '-Z0',
    '--no-sync',
    '-f',
    '/dev/null',
    odoo.database,
  ]);

  const databaseBytes = Number(
    await psql(postgres, odoo.database, 'SELECT pg_database_size(current_database())'),
  );
  const fileSizes = (await run(['find', odoo.filestore, '-type', 'f', '-printf', '%s\\n']))
    .split('\n')
    .slice(0, -1);
  const filestoreBytes = fileSizes.reduce((sum, bytes) => sum + Number(bytes), 0);
  return { odoo, httpPort, databaseBytes, filestoreBytes, files: fileSizes.length };
}
