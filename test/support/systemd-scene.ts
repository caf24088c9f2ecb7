import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Host } from '../../src/host/host.ts';
import { connect } from '../../src/host/ssh.ts';
import { cleanEnvironment, type Ended, type Run, startProgram } from './backup-run.ts';
import type { RawInputs } from './inputs.ts';
import { createBucket, s3Client } from './s3.ts';
import { type Sandbox, useSandbox } from './sandbox.ts';
import { type SystemdHost, type SystemdHostOptions, startSystemdHost } from './systemd-host.ts';

/** A systemd host that runs Odoo, and a bucket: all of one test's own. */
export class SystemdScene implements AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly host: SystemdHost;
  readonly client: S3Client;
  readonly bucket: string;
  readonly #resources: AsyncDisposableStack;

  private constructor(
    fields: Pick<SystemdScene, 'sandbox' | 'host' | 'client' | 'bucket'>,
    resources: AsyncDisposableStack,
  ) {
    ({ sandbox: this.sandbox, host: this.host, client: this.client, bucket: this.bucket } = fields);
    this.#resources = resources;
  }

  static async open(options: SystemdHostOptions): Promise<SystemdScene> {
    const sandbox = useSandbox();
    await using resources = new AsyncDisposableStack();
    const host = resources.use(await startSystemdHost(sandbox, options));
    const client = resources.adopt(s3Client(sandbox.s3), (each) => each.destroy());
    const bucket = await createBucket(client);
    return new SystemdScene({ sandbox, host, client, bucket }, resources.move());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#resources.disposeAsync();
  }

  /** As few inputs as do it. */
  get inputs(): RawInputs {
    return {
      'ssh-host': this.host.host,
      'ssh-user': this.host.user,
      'ssh-key': this.sandbox.keys.plain,
      'ssh-known-hosts': this.host.knownHosts,
      's3-bucket': this.bucket,
      's3-endpoint': this.sandbox.s3.endpoint,
      customer: 'acme',
    };
  }

  start(command: string, inputs: RawInputs = {}): Run {
    return startProgram(command, { ...this.inputs, ...inputs }, cleanEnvironment(this.sandbox.s3));
  }

  /** Runs it to its end, which has to be a good one. */
  async succeeds(command: string, inputs: RawInputs = {}): Promise<Ended> {
    const ended = await this.start(command, inputs).ended;
    assert.equal(ended.exitCode, 0, ended.log);
    return ended;
  }

  /** Logs in, for tests of single parts. */
  login(): Promise<Host> {
    return connect({
      host: this.host.host,
      port: this.host.port,
      user: this.host.user,
      key: { pem: readFileSync(this.sandbox.keys.plain, 'utf8') },
      trust: { knownHosts: this.host.knownHosts },
      jumps: [],
      connectTimeoutMs: 20_000,
    });
  }

  /** Runs SQL as Odoo's role, and returns the rows: `|` between columns. */
  async sql(statement: string, database: string = this.host.database): Promise<string> {
    const psql = ['psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', database];
    return (await this.host.exec(['runuser', '-u', 'odoo', '--', ...psql], statement)).trim();
  }

  /** Runs a shell script as root. */
  shell(script: string): Promise<string> {
    return this.host.exec(['sh', '-ec', script]);
  }
}

/** What of a host can change, as lines to be compared. */
export interface HostTraces {
  /** Files and folders with mode, owner, size and time; not what the system itself writes all the time. */
  readonly files: readonly string[];
  /** Programs that run, with their accounts. */
  readonly processes: readonly string[];
  readonly databases: readonly string[];
  /** Sessions in PostgreSQL, but Odoo's. */
  readonly sessions: readonly string[];
  /** Since when each service has been running. */
  readonly services: readonly string[];
}

export async function tracesOf({ host }: SystemdScene): Promise<HostTraces> {
  const lines = async (script: string) =>
    (await host.exec(['sh', '-ec', script])).split('\n').filter(Boolean).sort();
  const sql = (query: string) => lines(`runuser -u postgres -- psql -XqAtc "${query}"`);
  const [files, processes, databases, sessions, services] = await Promise.all([
    // Only changes of a folder's entries count, and these show: its own time does not say more.
    lines(`find / /tmp /dev/shm -xdev \\( ${unstable.map((path) => `-path ${path}`).join(' -o ')} \\) -prune -o \\
      -type d -printf '%p %M %u:%g\\n' -o -printf '%p %M %u:%g %s %T@\\n'`),
    // Without what the look itself takes, and what systemd keeps of a login for some seconds.
    lines(`ps -eo user=,args= | grep -Ev '^(root .*(ps -eo|grep -Ev|sh -ec|find /|runuser -u|systemctl show)|postgres )' |
      grep -Ev '^deploy +(/lib/systemd/systemd --user|\\(sd-pam\\))$' | grep -Ev 'user@1[0-9]+'`),
    sql('SELECT datname, datallowconn, datistemplate, pg_get_userbyid(datdba) FROM pg_database'),
    sql(`SELECT datname, usename, application_name, state FROM pg_stat_activity
      WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND application_name NOT LIKE 'odoo-%'`),
    lines(
      'systemctl show --property=Id,MainPID,ActiveEnterTimestampMonotonic,NRestarts odoo postgresql@15-main ssh',
    ),
  ]);
  return { files, processes, databases, sessions, services };
}

const unstable = ['/proc', '/sys', '/var/log', '/var/lib/postgresql', '/var/lib/systemd', '/run'];

const PATIENCE_MS = 20_000;

/** The host is what it was, at the latest some seconds after a run. */
export async function assertSameHost(scene: SystemdScene, before: HostTraces): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const now = await tracesOf(scene);
    try {
      return assert.deepEqual(now, before);
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(200);
    }
  }
}
