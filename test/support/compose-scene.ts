import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { withoutRestrict } from './backup-check.ts';
import { type ComposeHost, type Kind, startComposeHost } from './compose-host.ts';
import { HostScene, openScene } from './host-scene.ts';
import type { RawInputs } from './inputs.ts';
import type { OdooState } from './odoo-server.ts';

/** A Compose host that runs Odoo, and a bucket: all of one test's own. */
export class ComposeScene extends HostScene<ComposeHost> {
  #outside = false;

  static async open(kind: Kind): Promise<ComposeScene> {
    const scene = new ComposeScene(await openScene((sandbox) => startComposeHost(sandbox, kind)));
    await scene.untilUp();
    return scene;
  }

  override get inputs(): RawInputs {
    return {
      ...super.inputs,
      'compose-project-directory': this.host.project,
      'compose-odoo-service': 'odoo',
      'compose-db-service': 'db',
    };
  }

  /** Runs SQL as a superuser, and returns the rows: `|` between columns. */
  async sql(statement: string, database: string = this.host.database): Promise<string> {
    const psql = ['psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', database, '-c', statement];
    return (await this.#onServer(psql)).trim();
  }

  /**
   * Runs a program beside PostgreSQL, as its account: in the namespaces of its container, for an engine's own `exec`
   * takes ten times as long, and tests look often.
   */
  #onServer(argv: readonly string[]): Promise<string> {
    const port = this.#outside ? OUTSIDE_PORT : 5432;
    const enter = `server=$(pgrep -o -f '^/usr/lib/postgresql/15/bin/postgres .*--port=${port}')
      exec nsenter --target "$server" --mount --net --ipc -- \
        setpriv --reuid=postgres --regid=postgres --init-groups env PGPORT=${port} "$@"`;
    return this.host.exec(['sh', '-ec', enter, 'sh', ...argv]);
  }

  /**
   * From now on, Odoo uses a database outside of Compose, as it was in the beginning: a server of the machine, whose
   * client programs the machine has.
   */
  async moveDatabaseOut(): Promise<void> {
    await this.shell(`docker export "$(docker create db true)" |
        tar -xC / --skip-old-files --wildcards 'usr/lib/postgresql/*' 'usr/lib/*-linux-gnu/*'
      ldconfig
      docker run --detach --name outside --network host --user postgres --volume /srv/odoo/db:/etc/odoo-db db \\
        /usr/lib/postgresql/15/bin/postgres --config-file=/etc/postgresql/15/main/postgresql.conf \\
        --hba-file=/etc/odoo-db/pg_hba.conf --listen-addresses='*' --port=${OUTSIDE_PORT} --ssl=off
      for _ in $(seq 100); do
        docker exec --env PGPORT=${OUTSIDE_PORT} outside psql -qc "ALTER ROLE odoo PASSWORD 's3cret of odoo'" && break
        sleep 0.2
      done
      cd /srv/odoo && sed -i 's/^db_host.*/db_host = host.docker.internal\\ndb_port = ${OUTSIDE_PORT}/' config/*.conf
      cat >docker-compose.override.yml <<'END'
version: '3.8'
services:
  odoo:
    extra_hosts: ['host.docker.internal:host-gateway']
  queue-worker:
    extra_hosts: ['host.docker.internal:host-gateway']
END`);
    this.#outside = true;
    await this.host.compose('up', '-d');
    await this.untilUp();
  }

  /**
   * From now on, who Odoo is to PostgreSQL stands in files alone, secrets of Compose, and PostgreSQL asks everybody for
   * a password. `queue-worker` is told of a file of its own, which
   * is not there.
   */
  async keepSecrets(): Promise<void> {
    await this.shell(`cd /srv/odoo && mkdir secrets
      sed -i '/^db_user/d; /^db_password/d' config/*.conf
      sed -i '/127.0.0.1/d' db/pg_hba.conf
      echo odoo >secrets/user
      echo 's3cret of odoo' >secrets/password
      cat >docker-compose.override.yml <<'END'
version: '3.8'
services:
  odoo:
    command: [sh, -c, 'PGUSER=odoo PGPASSWORD=$$(cat $$PASSWORD_FILE) exec odoo /etc/odoo/odoo.conf']
    environment:
      USER: ''
      PASSWORD: the file counts more
      PASSWORD_FILE: /run/secrets/password
    secrets: [password]
  queue-worker:
    environment:
      PASSWORD_FILE: /srv/password
  db:
    environment:
      POSTGRES_USER: ''
      POSTGRES_PASSWORD: ''
      POSTGRES_USER_FILE: /run/secrets/user
      POSTGRES_PASSWORD_FILE: /run/secrets/password
    secrets: [user, password]
secrets:
  user:
    file: ./secrets/user
  password:
    file: ./secrets/password
END`);
    await this.host.compose('up', '-d');
    await this.untilUp();
  }

  /** Puts a file of the project into the container of a service, which may be stopped. */
  async putInto(service: string, file: string, path: string): Promise<void> {
    const { engine, exec, project } = this.host;
    const filter = `label=com.docker.compose.service=${service}`;
    const id = (await exec([engine, 'ps', '--all', '--quiet', '--filter', filter])).trim();
    await exec([engine, 'cp', `${project}/${file}`, `${id}:${path}`]);
  }

  /** Takes away what a restore has made. */
  async dropCopy(database: string): Promise<void> {
    await this.sql(`DROP DATABASE "${database}"`, 'postgres');
    await this.amongFilestores(`rm -r ${database}`);
  }

  /** Runs a shell script as Odoo in the folder of the filestores, on its volume: whether it runs or not. */
  amongFilestores(script: string): Promise<string> {
    const asOwner = `cd ${this.host.filestores}
      exec setpriv --reuid="$(stat -c %u .)" --regid="$(stat -c %g .)" --clear-groups sh -ec "$1"`;
    return this.host.exec(['sh', '-ec', asOwner, 'sh', script]);
  }

  /** Everything that Odoo has: each row, and each file with content, owner and mode; `checklist/` left out. */
  async content(): Promise<{ readonly sql: string; readonly files: readonly string[] }> {
    const { database } = this.host;
    const found = `find ${database} -path ${database}/checklist -prune -o`;
    const [sql, files] = await Promise.all([
      this.#onServer(['pg_dump', database]),
      this.amongFilestores(`${found} -printf '%p %M %u:%g\\n' | sort
        ${found} -type f -print0 | xargs -0 sha1sum | sort`),
    ]);
    return { sql: withoutRestrict(sql), files: files.trim().split('\n') };
  }

  /** What Odoo found when it started last; undefined: it does not answer. */
  async state(): Promise<OdooState | undefined> {
    const answer = await fetch(`${this.host.url}/state`).catch(() => undefined);
    return answer?.ok ? ((await answer.json()) as OdooState) : undefined;
  }

  /** Waits until Odoo answers. */
  async untilUp(): Promise<OdooState> {
    for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await sleep(100)) {
      const state = await this.state();
      if (state) return state;
    }
    throw new Error(`Odoo is not up: ${await this.host.compose('logs', '--tail', '30')}`);
  }

  /** What a bad deploy does, with which Odoo runs nevertheless: an attachment is gone, rows are wrong. */
  async misdeploy(): Promise<void> {
    const [name] = (
      await this.sql(`UPDATE res_partner SET name = 'broken ' || id;
        DELETE FROM ir_attachment WHERE store_fname = (SELECT min(store_fname) FROM ir_attachment)
          RETURNING store_fname`)
    ).split('\n');
    await this.amongFilestores(`rm ${this.host.database}/${name}`);
  }

  /** From now on, Odoo starts on what `misdeploy` has left, and not on what a rollback puts back. */
  async onlyBroken(): Promise<void> {
    await this.shell(`cat >/srv/odoo/config/only-broken.py <<'END'
import psycopg2, runpy, sys
database = psycopg2.connect(dbname='shop', host='db', user='odoo', password='s3cret of odoo')
with database.cursor() as cursor:
    cursor.execute("SELECT count(*) FROM res_partner WHERE name LIKE 'broken %'")
    if cursor.fetchone() == (0,):
        sys.exit('not broken')
database.close()
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name='__main__')
END
      cat >/srv/odoo/docker-compose.override.yml <<'END'
version: '3.8'
services:
  odoo:
    command: python3 /etc/odoo/only-broken.py /usr/local/bin/odoo /etc/odoo/odoo.conf
    restart: 'no'
END`);
    await this.sql("UPDATE res_partner SET name = 'broken ' || id");
    await this.host.compose('up', '-d');
    await this.untilUp();
  }

  /** Takes that back. */
  async mended(): Promise<void> {
    await this.shell('rm /srv/odoo/docker-compose.override.yml');
    await this.host.compose('up', '-d');
    await this.untilUp();
  }

  /** The id of the image that a service runs. */
  async runningImage(service: string): Promise<string> {
    const { engine, exec } = this.host;
    const filter = `label=com.docker.compose.service=${service}`;
    const id = (await exec([engine, 'ps', '--quiet', '--filter', filter])).trim();
    return (await exec([engine, 'inspect', '--format', '{{.Image}}', id])).trim();
  }

  /** A deploy of a newer image: the project takes it from a variable. */
  async deployImage(): Promise<void> {
    await this.shell(`cd /srv/odoo && cat >docker-compose.override.yml <<'END'
version: '3.8'
services:
  odoo:
    image: \${ODOO_IMAGE:-odoo}
END
      printf 'FROM odoo\\nLABEL release=2\\n' | docker build --quiet --tag odoo:2 -
      echo ODOO_IMAGE=odoo:2 >>.env`);
    await this.host.compose('up', '-d');
    await this.untilUp();
  }

  /** The project says no more of images than at first: the next `up` goes by that. */
  async forgetImages(): Promise<void> {
    await this.shell(`cd /srv/odoo && rm docker-compose.override.yml /etc/sudoers.d/odoo-backup
      sed -i '/^ODOO_IMAGE=/d' .env`);
  }

  /** What docs/rollback.md shows, for this project. */
  imageCommand(): string {
    const shown = readFileSync(new URL('../../templates/code/compose-images.sh', import.meta.url), 'utf8');
    const { program, project } = this.host;
    return shown.replaceAll('/opt/odoo', project).replaceAll('docker compose', program.join(' '));
  }

  /** What of the host a run may not change: its containers, the server since when, databases, folders, helpers. */
  async traces(): Promise<readonly string[]> {
    await this.untilQuiet();
    const containers = [this.host.engine, 'ps', '--all', '--no-trunc', '--format', '{{.ID}} {{.Names}}'];
    const told = await Promise.all([
      this.host.exec(containers),
      this.sql(`SELECT pg_postmaster_start_time();
        SELECT datname, datallowconn, datistemplate FROM pg_database;
        SELECT application_name FROM pg_stat_activity WHERE application_name ~ 'backup'`),
      this.amongFilestores('ls'),
    ]);
    return told.flatMap((text) => text.split('\n').filter(Boolean).sort());
  }

  /** The host is what it was, at the latest some seconds after a run, but for what the run before it was still removing. */
  async assertTraces(seen: readonly string[]): Promise<void> {
    const before = seen.filter((line) => !line.includes('odoo-backup'));
    let now = await this.traces();
    for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await sleep(200)) {
      if (now.join('\n') === before.join('\n')) return;
      now = await this.traces();
    }
    assert.deepEqual(now, before);
  }
}

const PATIENCE_MS = 120_000;
const OUTSIDE_PORT = 5433;
