import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { variableOf } from '../../src/inputs/table.ts';
import type { Receipt } from '../../src/storage/receipt.ts';
import type { RawInputs } from '../../test/support/inputs.ts';
import { peakOf } from '../../test/support/peak.ts';
import { getObject, s3Client } from '../../test/support/s3.ts';
import type { Sandbox } from '../../test/support/sandbox.ts';
import type { Data } from './data.ts';
import type { Link } from './link.ts';

/** One place to back up: what, over which line, to which bucket. */
export interface Case {
  readonly sandbox: Sandbox;
  readonly data: Data;
  readonly link: Link;
  readonly bucket: string;
}

/** One backup, measured. Sizes in bytes. */
export interface Run {
  readonly seconds: number;
  /** Seconds a phase or step, in their order. */
  readonly steps: Readonly<Record<string, number>>;
  readonly archiveBytes: number;
  /** The most memory that the process held at once; ours only. */
  readonly peakBytes?: number;
}

/** Our program, a process of its own with nothing but its inputs. */
export async function ours({ sandbox, data, link, bucket }: Case, program: string): Promise<Run> {
  const { ssh, keys, s3 } = sandbox;
  const inputs: RawInputs = {
    'ssh-host': link.host,
    'ssh-port': String(link.port),
    'ssh-user': ssh.user,
    'ssh-key': await readFile(keys.plain, 'utf8'),
    'ssh-known-hosts': link.knownHosts,
    'odoo-conf': data.odoo.conf,
    's3-bucket': bucket,
    's3-endpoint': s3.endpoint,
    customer: 'bench',
  };
  const variables = Object.entries(inputs).map(([name, value]) => [variableOf(name), value]);
  const started = performance.now();
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', process.execPath, program, 'backup'], {
    env: { PATH: process.env.PATH, ...credentials(sandbox), ...Object.fromEntries(variables) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [outputs, , peakBytes] = await Promise.all([
    text(child.stdout),
    succeeded(child, 'Our backup'),
    peakOf(child),
  ]);
  const seconds = (performance.now() - started) / 1000;
  const key = /^receipt=(?:s3:\/\/[^/]+\/)?(.*)$/m.exec(outputs)?.[1] ?? '';
  const receipt = JSON.parse(String(Buffer.from(await getObject(s3Client(s3), bucket, key)))) as Receipt;
  const startup = seconds - Object.values(receipt.durations).reduce((sum, each) => sum + each, 0);
  return {
    seconds,
    steps: { ...receipt.durations, 'start and end': startup },
    archiveBytes: receipt.size,
    peakBytes,
  };
}

/** What people write today, step by step: run by bash as it is printed. */
export const script = {
  pg_dump: 'ssh -F ssh_config odoo pg_dump -Fc $PG "$DATABASE" > "$DATABASE.dump"',
  tar: 'mkdir filestore; ssh -F ssh_config odoo tar -C "$FILESTORE" -cf - . | tar -C filestore -xf -',
  zip: 'zip -qr backup.zip "$DATABASE.dump" filestore',
  'aws s3 cp': 'aws s3 cp --only-show-errors --endpoint-url "$ENDPOINT" backup.zip "s3://$BUCKET/backup.zip"',
} as const;

export async function theirs({ sandbox, data, link, bucket }: Case): Promise<Run> {
  const { postgres, ssh, keys, s3 } = sandbox;
  const folder = join(sandbox.folder, 'baseline');
  await mkdir(folder);
  await writeFile(join(folder, 'known_hosts'), link.knownHosts);
  const config = {
    HostName: link.host,
    Port: link.port,
    User: ssh.user,
    IdentityFile: keys.plain,
    UserKnownHostsFile: join(folder, 'known_hosts'),
    BatchMode: 'yes',
  };
  const lines = Object.entries(config).map(([name, value]) => `  ${name} ${value}\n`);
  await writeFile(join(folder, 'ssh_config'), `Host odoo\n${lines.join('')}`);
  const env = {
    ...process.env,
    ...credentials(sandbox),
    // botocore's checksum trailers are refused by many servers; ours goes without them as well.
    AWS_REQUEST_CHECKSUM_CALCULATION: 'when_required',
    PG: `-h ${postgres.socket} -p ${postgres.port} -U odoo`,
    DATABASE: data.odoo.database,
    FILESTORE: data.odoo.filestore,
    ENDPOINT: s3.endpoint,
    BUCKET: bucket,
  };
  const steps: Record<string, number> = {};
  try {
    for (const [step, command] of Object.entries(script)) {
      const started = performance.now();
      const argv = ['--pdeathsig', 'KILL', 'bash', '-euo', 'pipefail', '-c', command];
      const child = spawn('setpriv', argv, { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] });
      await succeeded(child, command);
      steps[step] = (performance.now() - started) / 1000;
    }
    const seconds = Object.values(steps).reduce((sum, each) => sum + each, 0);
    return { seconds, steps, archiveBytes: (await stat(join(folder, 'backup.zip'))).size };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function credentials({ s3 }: Sandbox): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
    AWS_REGION: s3.region,
    AWS_DEFAULT_REGION: s3.region,
  };
}

/** @throws Error with what it printed when it fails */
async function succeeded(child: ChildProcess, what: string): Promise<void> {
  const [log, [code, signal]] = await Promise.all([
    child.stderr ? text(child.stderr) : '',
    once(child, 'close'),
  ]);
  if (code !== 0) throw new Error(`${what} ended with ${code ?? signal}: ${log.slice(-4000)}`);
}
