import assert from 'node:assert/strict';
import { dirname } from 'node:path/posix';
import { setTimeout as sleep } from 'node:timers/promises';
import { withoutRestrict } from './backup-check.ts';
import { HostScene, openScene } from './host-scene.ts';
import type { OdooState } from './odoo-server.ts';
import { type SystemdHost, type SystemdHostOptions, startSystemdHost } from './systemd-host.ts';

/** A systemd host that runs Odoo, and a bucket: all of one test's own. */
export class SystemdScene extends HostScene<SystemdHost> {
  static async open(options: SystemdHostOptions): Promise<SystemdScene> {
    return new SystemdScene(await openScene((sandbox) => startSystemdHost(sandbox, options)));
  }

  /** Runs SQL as Odoo's role, and returns the rows: `|` between columns. */
  async sql(statement: string, database: string = this.host.database): Promise<string> {
    const psql = ['psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', database];
    return (await this.host.exec(['runuser', '-u', 'odoo', '--', ...psql], statement)).trim();
  }

  /** Everything that Odoo has: each row, and each file with content, owner and mode; `checklist/` left out. */
  async content(): Promise<{ readonly sql: string; readonly files: readonly string[] }> {
    const { database, filestore } = this.host;
    const inFilestore = `cd ${filestore}; find . -path ./checklist -prune -o`;
    const [sql, ...files] = await Promise.all([
      this.host.exec(['runuser', '-u', 'odoo', '--', 'pg_dump', database]),
      this.shell(`${inFilestore} -printf '%p %M %u:%g\\n' | sort`),
      this.shell(`${inFilestore} -type f -print0 | xargs -0 sha1sum | sort`),
    ]);
    return { sql: withoutRestrict(sql), files: files.flatMap((lines) => lines.trim().split('\n')) };
  }

  /** What Odoo found when it started last; undefined: it does not answer. */
  async state(): Promise<OdooState | undefined> {
    const answer = await fetch(`${this.host.url}/state`).catch(() => undefined);
    return answer?.ok ? ((await answer.json()) as OdooState) : undefined;
  }

  /** Waits until Odoo answers. */
  async untilUp(): Promise<OdooState> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const state = await this.state();
      if (state) return state;
      if (Date.now() > deadline)
        throw new Error(`Odoo is not up: ${await this.shell('journalctl -n 30 -u odoo')}`);
      await sleep(100);
    }
  }

  /**
   * What a bad deploy does, with which Odoo runs nevertheless: attachments are gone, others are new, rows are wrong.
   */
  async misdeploy(): Promise<void> {
    await this.sql('DROP TABLE IF EXISTS res_partner_bank CASCADE');
    await this.sql("UPDATE res_partner SET name = 'broken ' || id");
    const gone = 'SELECT min(store_fname) FROM ir_attachment';
    const name = await this.sql(gone);
    await this.sql(`DELETE FROM ir_attachment WHERE store_fname = (${gone})`);
    await this.sql(
      `INSERT INTO ir_attachment (name, type, store_fname) SELECT 'new', 'binary', '${newFile}' FROM generate_series(1, 3)`,
    );
    await this.asOdoo(
      `cd ${this.host.filestore}; rm ${name}; mkdir -p "$(dirname ${newFile})"; : >${newFile}`,
    );
    await this.shell('systemctl restart odoo');
    await this.untilUp();
  }

  /** A deploy after which Odoo does not start any more: a table that it needs is gone, an attachment torn. */
  async ruin(): Promise<void> {
    await this.misdeploy();
    await this.sql('DROP TABLE IF EXISTS ir_cron CASCADE');
    const name = await this.sql("SELECT max(store_fname) FROM ir_attachment WHERE name <> 'new'");
    await this.asOdoo(`rm ${this.host.filestore}/${name}; echo torn >${this.host.filestore}/${name}`);
  }

  /** Keeps database and filestore as they are, for `putBack`. */
  async keep(): Promise<void> {
    const { database, filestore } = this.host;
    await this.asOdoo(
      `pg_dump -Fc ${database} >/var/tmp/kept.dump; tar -cf /var/tmp/kept.tar -C ${filestore} .`,
    );
  }

  /** Database and filestore are what they were, nothing is beside them, and Odoo runs. */
  async putBack(): Promise<void> {
    const { database, filestore } = this.host;
    await this.shell('systemctl stop odoo; systemctl reset-failed odoo || true');
    const others = await this.sql(
      `SELECT datname FROM pg_database WHERE datname LIKE '${database}%'`,
      'postgres',
    );
    for (const name of others.split('\n').filter(Boolean)) {
      await this.shell(`runuser -u postgres -- psql -qc 'ALTER DATABASE "${name}" IS_TEMPLATE false'`);
      await this.shell(`runuser -u postgres -- dropdb --force "${name}"`);
    }
    await this.shell(`rm -rf ${filestore} ${filestore}__*`);
    await this.shell(`runuser -u postgres -- createdb -O odoo -T template0 ${database}`);
    await this.asOdoo(`pg_restore -d ${database} /var/tmp/kept.dump; mkdir ${filestore}
      tar -xf /var/tmp/kept.tar -C ${filestore}`);
    await this.shell('systemctl start odoo');
    await this.untilUp();
  }

  /** Runs a shell script as the account of Odoo. */
  asOdoo(script: string): Promise<string> {
    return this.host.exec(['runuser', '-u', 'odoo', '--', 'sh', '-ec', script]);
  }
}

/** Name of an empty file in a filestore. */
const newFile = 'da/da39a3ee5e6b4b0d3255bfef95601890afd80709';

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

/** How the host is, once the runs before have ended. */
export async function tracesOf(scene: SystemdScene): Promise<HostTraces> {
  await scene.untilQuiet();
  return look(scene);
}

async function look({ host }: SystemdScene): Promise<HostTraces> {
  const lines = async (script: string) =>
    (await host.exec(['sh', '-ec', script])).split('\n').filter(Boolean).sort();
  // Under a name that is no session's which is looked for: both queries may be there at once.
  const sql = (query: string) =>
    lines(`runuser -u postgres -- env PGAPPNAME=odoo-look psql -XqAtc "${query}"`);
  const [files, processes, databases, sessions, services] = await Promise.all([
    // Only changes of a folder's entries count, and these show: its own time does not say more.
    lines(`find / /tmp /dev/shm -xdev \\( ${unstable.map((path) => `-path ${path}`).join(' -o ')} \\) -prune -o \\
      -type d -printf '%p %M %u:%g\\n' -o -printf '%p %M %u:%g %s %T@\\n'`),
    // Without what the look itself takes, and what systemd keeps of a login for some seconds.
    lines(`ps -eo user=,args= | grep -Ev '^(root .*(ps -eo|grep -Ev|sh -ec|find /|runuser -u|systemctl show|\\[env\\]|\\[?nsenter)|postgres )' |
      grep -Ev '^deploy +(/lib/systemd/systemd --user|\\(sd-pam\\))$' | grep -Ev 'user@1[0-9]+|systemd-user-runtime-dir'`),
    sql('SELECT datname, datallowconn, datistemplate, pg_get_userbyid(datdba) FROM pg_database'),
    sql(`SELECT datname, usename, application_name, state FROM pg_stat_activity
      WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND application_name NOT LIKE 'odoo-%'`),
    lines(
      `systemctl show --property=Id,MainPID,ActiveEnterTimestampMonotonic,NRestarts odoo postgresql@${host.postgresql}-main ssh`,
    ),
  ]);
  return { files, processes, databases, sessions, services };
}

const unstable = ['/proc', '/sys', '/var/log', '/var/lib/postgresql', '/var/lib/systemd', '/run'];

const PATIENCE_MS = 120_000;

/**
 * The host is what it was, at the latest some seconds after a run.
 *
 * @param options.restarted services may have been restarted
 */
export async function assertSameHost(
  scene: SystemdScene,
  before: HostTraces,
  { restarted = false } = {},
): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  const differences = async () => {
    const now = await look(scene);
    return changesOf(before, restarted ? { ...now, services: before.services } : now);
  };
  let changes = await differences();
  while (changes.length > 0 && Date.now() < deadline) {
    await sleep(200);
    changes = await differences();
  }
  assert.deepEqual(changes, []);
}

/** Asserts that nothing is left of what restores make: no database, no folder. */
export async function assertOneOdoo(scene: SystemdScene): Promise<void> {
  const { database, filestore } = scene.host;
  assert.equal(await scene.sql(`SELECT datname FROM pg_database WHERE datname LIKE '${database}_%'`), '');
  assert.equal(await scene.shell(`ls ${dirname(filestore)}`), `${database}\n`);
}

function changesOf(before: HostTraces, now: HostTraces): string[] {
  const without = (lines: readonly string[], others: readonly string[]) => {
    const known = new Set(others);
    return lines.filter((line) => !known.has(line));
  };
  return (Object.keys(before) as (keyof HostTraces)[]).flatMap((kind) => [
    ...without(before[kind], now[kind]).map((line) => `${kind}: no more ${line}`),
    ...without(now[kind], before[kind]).map((line) => `${kind}: new ${line}`),
  ]);
}
