import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sqlOf } from './backup-check.ts';
import { cleanEnvironment, type Ended, outputsOf, type Run, Scene, startProgram } from './backup-run.ts';
import type { RawInputs } from './inputs.ts';
import { type OdooServer, startOdooServer } from './odoo-server.ts';
import { dropDatabase, psql } from './postgres.ts';
import { freePorts, run } from './processes.ts';
import { listKeys } from './s3.ts';

/** An Odoo that runs, its host, and a bucket: for backups, damage and rollbacks. */
export class RollbackScene implements AsyncDisposable {
  readonly scene: Scene;
  readonly server: OdooServer;
  readonly port: number;

  private constructor(scene: Scene, server: OdooServer, port: number) {
    this.scene = scene;
    this.server = server;
    this.port = port;
  }

  /** @param database left out: a name that no other test uses */
  static async open(
    options: Readonly<Record<string, string>> = {},
    database?: string,
  ): Promise<RollbackScene> {
    const [port = 0] = await freePorts(1);
    const scene = await Scene.open({
      database,
      options: { http_interface: '127.0.0.1', http_port: String(port), ...options },
    });
    try {
      const server = await startOdooServer(scene.sandbox, scene.odoo, port);
      return new RollbackScene(scene, server, port);
    } catch (error) {
      await scene[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    const { postgres } = this.scene.sandbox;
    const names = await psql(
      postgres,
      'postgres',
      `SELECT datname FROM pg_database WHERE datname ~ '^${this.database}__(new|old)_'`,
    );
    for (const name of names.split('\n').filter(Boolean)) {
      await psql(postgres, 'postgres', `ALTER DATABASE "${name}" IS_TEMPLATE false`);
      await dropDatabase(postgres, name);
    }
    await this.scene[Symbol.asyncDispose]();
  }

  get database(): string {
    return this.scene.odoo.database;
  }

  /** As few inputs as a rollback needs. */
  get inputs(): RawInputs {
    return {
      ...this.scene.inputs,
      'stop-command': this.server.stopCommand,
      'start-command': this.server.startCommand,
    };
  }

  /** Starts a command of the program. */
  start(command: string, inputs: RawInputs = {}, env: Readonly<Record<string, string>> = {}): Run {
    const given = command === 'backup' ? this.scene.inputs : this.inputs;
    return startProgram(
      command,
      { ...given, ...inputs },
      { ...cleanEnvironment(this.scene.sandbox.s3), ...env },
    );
  }

  /** Runs it to its end, which has to be a good one. @returns its outputs, and its log */
  async succeeds(
    command: string,
    inputs: RawInputs = {},
  ): Promise<Ended & { readonly outputs: Readonly<Record<string, string>> }> {
    const ended = await this.start(command, inputs).ended;
    assert.equal(ended.exitCode, 0, ended.log);
    return { ...ended, outputs: outputsOf(ended) };
  }

  /** Runs SQL as the server's admin. */
  sql(statement: string, database: string = this.database): Promise<string> {
    return psql(this.scene.sandbox.postgres, database, statement);
  }

  /** What a bad deploy does: a table is gone, data has changed, attachments are gone, damaged and new. */
  async damage(): Promise<void> {
    const { filestore } = this.scene.odoo;
    await this.sql('DROP TABLE res_partner_bank CASCADE');
    await this.sql("UPDATE res_partner SET name = 'broken ' || id");
    await this.sql(
      "INSERT INTO ir_attachment (name, type, store_fname) VALUES ('new', 'binary', 'da/da39a3ee5e6b4b0d3255bfef95601890afd80709')",
    );
    const names = await this.files();
    const [gone = '', torn = ''] = [...names.keys()].filter((name) => name.includes('/'));
    const added = 'da/da39a3ee5e6b4b0d3255bfef95601890afd80709';
    const script = 'cd "$1" && rm -- "$2" && printf torn >"$3" && mkdir -p "$4" && : >"$5"';
    const argv = ['sh', '-c', script, 'sh', filestore, gone, torn, dirname(added), added];
    await run(argv, { as: this.scene.sandbox.account });
  }

  /** The whole state of Odoo, to be compared: every row, every file with its content and rights. */
  async snapshot(): Promise<{ readonly sql: string; readonly files: ReadonlyMap<string, string> }> {
    const { postgres } = this.scene.sandbox;
    return { sql: await sqlOf(postgres, this.database), files: await this.files() };
  }

  /** SHA-1, mode and owner of each file of the filestore, `checklist/` left out. */
  async files(folder: string = this.scene.odoo.filestore): Promise<Map<string, string>> {
    const names = await readdir(folder, { recursive: true });
    const found = new Map<string, string>();
    for (const name of names.filter((each) => !each.startsWith('checklist')).sort()) {
      const path = join(folder, name);
      const { mode, uid } = await stat(path);
      const isFile = (await stat(path)).isFile();
      const content = isFile
        ? createHash('sha1')
            .update(await readFile(path))
            .digest('hex')
        : 'folder';
      found.set(name, `${content} ${(mode & 0o777).toString(8)} ${uid}`);
    }
    return found;
  }

  /** Everything a run may change: databases, folders beside the filestore, objects. */
  async traces(): Promise<unknown> {
    const { odoo, client, bucket } = this.scene;
    const databases = await this.sql(
      `SELECT datname, datallowconn, datistemplate, shobj_description(oid, 'pg_database') FROM pg_database
        WHERE datname LIKE '${this.database}%' ORDER BY 1`,
      'postgres',
    );
    return {
      databases: databases.split('\n'),
      folders: (await readdir(dirname(odoo.filestore))).sort(),
      objects: await listKeys(client, bucket),
      state: await this.server.state(),
    };
  }
}
