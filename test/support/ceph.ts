import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { freePorts, run, type Servers } from './processes.ts';
import type { S3Server } from './s3.ts';
import { createVaultStub } from './vault-stub.ts';

/** The name of the only key that SSE-KMS knows. */
export const kmsKeyId = 'sandbox-kms';

/**
 * Starts a Ceph RADOS Gateway (with the one monitor and the one OSD that it needs) in `folder`, as our own account.
 * It knows SSE-S3, SSE-KMS with `kmsKeyId`, and the storage class STANDARD_IA beside STANDARD.
 *
 * @param gatewayLines of ceph.conf, besides
 * @param suite release of Debian whose Ceph is used; default: the newest that is available
 */
export async function startCeph(
  servers: Servers,
  folder: string,
  gatewayLines = '',
  suite?: string,
): Promise<S3Server> {
  const [programs, [port = 0, monitorPort = 0]] = await Promise.all([findPrograms(suite), freePorts(2)]);
  const vault = createVaultStub().listen(0, '127.0.0.1').unref();
  await once(vault, 'listening');

  const config = join(folder, 'ceph.conf');
  const fsid = randomUUID();
  await mkdir(join(folder, 'osd'));
  await mkdir(join(folder, 'mon'));
  await writeFile(join(folder, 'vault.token'), 'sandbox', { mode: 0o600 });
  const vaultPort = (vault.address() as AddressInfo).port;
  await writeFile(
    config,
    `${configuration({ folder, fsid, port, monitorPort, vaultPort, programs })}${gatewayLines}\n`,
  );
  const ceph = (program: string, ...args: string[]) => [...programs.argv(program), '-c', config, ...args];

  const monitorAddress = `[v2:127.0.0.1:${monitorPort}]`;
  const [monmap, osdmap] = [join(folder, 'monmap'), join(folder, 'osdmap')];
  await Promise.all([
    run(ceph('monmaptool', '--create', '--fsid', fsid, '--addv', 'a', monitorAddress, monmap)),
    run(ceph('osdmaptool', '--createsimple', '1', osdmap)),
  ]);
  await run(ceph('ceph-mon', '-i', 'a', '--mkfs', '--monmap', monmap, '--osdmap', osdmap));
  // They take seconds to end in good order, and nothing of them is kept.
  const unsaved = { stopSignal: 'SIGKILL' } as const;
  servers.start('ceph-mon', ceph('ceph-mon', '-i', 'a', '-f'), unsaved);
  await run(ceph('ceph-osd', '-i', '0', '--mkfs', '--osd-uuid', randomUUID())); // asks the monitor
  const osd = servers.start('ceph-osd', ceph('ceph-osd', '-i', '0', '-f'), unsaved);
  const booted = async () => / osd\.0 .* boot/.test(await readFile(join(folder, 'cluster.log'), 'utf8'));
  await servers.untilReady('ceph-osd', osd, booted);

  const server: S3Server = {
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    accessKeyId: 'sandbox',
    secretAccessKey: 'sandbox-secret',
    radosgwAdmin: ceph('radosgw-admin', '-n', 'client.rgw'),
    gatewayLog: join(folder, 'client.rgw.log'),
  };
  await run([
    ...ceph('radosgw-admin', '-n', 'client.rgw', 'user', 'create', '--uid=sandbox', '--display-name=sandbox'),
    `--access-key=${server.accessKeyId}`,
    `--secret-key=${server.secretAccessKey}`,
  ]);
  const placement = [
    'placement',
    'add',
    '--placement-id',
    'default-placement',
    '--storage-class',
    'STANDARD_IA',
  ];
  const admin = (...args: string[]) => run(ceph('radosgw-admin', '-n', 'client.rgw', ...args));
  await admin('zonegroup', ...placement, '--rgw-zonegroup', 'default');
  await admin('zone', ...placement, '--rgw-zone', 'default', '--data-pool', 'default.rgw.buckets.data');

  const gateway = servers.start('radosgw', ceph('radosgw', '-n', 'client.rgw', '-f'), unsaved);
  await servers.untilReady('radosgw', gateway, async () => (await fetch(server.endpoint)).ok);
  return server;
}

interface Programs {
  argv(program: string): string[];
  /** Where Ceph's plugins are. */
  readonly libraries: string;
}

/** Ceph's programs: installed ones as they are, unpacked ones through the dynamic loader that came with them. */
async function findPrograms(suite?: string): Promise<Programs> {
  // In folders of their own: where there is a folder, the newest in it wins.
  const [name, args] = suite === undefined ? ['ceph', []] : [`ceph-${suite}`, [suite]];
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'odoo-backup-sandbox', name);
  const root = (await run(['bash', join(import.meta.dirname, 'ceph.sh'), cache, ...args])).trim();
  const [plugins] = globSync(join(root, 'usr/lib/*/ceph/erasure-code'));
  if (!plugins) throw new Error(`There are no Ceph libraries under ${root}: remove that folder`);
  const libraries = join(plugins, '../..');
  if (root === '/') return { libraries, argv: (program) => [program] };
  const [loader = ''] = globSync(join(libraries, 'ld-linux-*.so.*'));
  await access(loader);
  const path = `${libraries}:${libraries}/ceph`;
  return {
    libraries,
    argv: (program) => [loader, '--library-path', path, '--argv0', program, join(root, 'usr/bin', program)],
  };
}

interface Settings {
  readonly folder: string;
  readonly fsid: string;
  readonly port: number;
  readonly monitorPort: number;
  readonly vaultPort: number;
  readonly programs: Programs;
}

/** One copy of everything, no authentication between the parts, and no waiting for others that are not there. */
function configuration({ folder, fsid, port, monitorPort, vaultPort, programs }: Settings): string {
  return `[global]
fsid = ${fsid}
mon host = [v2:127.0.0.1:${monitorPort}]
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
ms mon cluster mode = crc
ms mon service mode = crc
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
ms bind msgr1 = false
plugin dir = ${programs.libraries}/ceph
erasure code dir = ${programs.libraries}/ceph/erasure-code
osd class dir = ${programs.libraries}/rados-classes
run dir = ${folder}
admin socket = ${folder}/$name.asok
log file = ${folder}/$name.log
crash dir = ${folder}
mon cluster log file = ${folder}/cluster.log
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 2000
paxos propose interval = 0.02
paxos min wait = 0.01
mon tick interval = 1
objecter tick interval = 1
mon data avail crit = 1
mon data avail warn = 2
mon osd full ratio = 0.99
mon osd nearfull ratio = 0.98
mon osd backfillfull ratio = 0.985
osd failsafe full ratio = 0.995
[mon]
mon data = ${folder}/mon
[osd]
osd data = ${folder}/osd
osd objectstore = bluestore
osd memory target = 939524096
osd class update on start = false
osd mclock skip benchmark = true
# A sparse file: it takes what is written.
bluestore block size = ${32 * 2 ** 30}
[client]
rgw frontends = beast endpoint=127.0.0.1:${port}
rgw data = ${folder}
rgw crypt require ssl = false
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = ${kmsKeyId}=${Buffer.alloc(32).toString('base64')}
rgw crypt sse s3 backend = vault
rgw crypt sse s3 vault auth = token
rgw crypt sse s3 vault token file = ${folder}/vault.token
rgw crypt sse s3 vault addr = http://127.0.0.1:${vaultPort}
rgw crypt sse s3 vault secret engine = transit
rgw crypt sse s3 vault prefix = /v1/transit
rgw enable usage log = false
rgw run sync thread = false
rgw dynamic resharding = false
rgw rados pool pg num min = 4
rgw thread pool size = 32
rgw relaxed region enforcement = true
`;
}
