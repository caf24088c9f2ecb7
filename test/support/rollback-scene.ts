import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { parseReceipt, type Receipt } from '../../src/catalog/receipt.ts';
import { sqlOf } from './backup-check.ts';
import {
  cleanEnvironment,
  type Ended,
  outputsOf,
  type Run,
  runCommand,
  Scene,
  startProgram,
  type Variables,
} from './backup-run.ts';
import type { RawInputs } from './inputs.ts';
import { assertNothingRuns } from './leftovers.ts';
import type { Fixture } from './odoo.ts';
import { type OdooServer, startOdooServer } from './odoo-server.ts';
import { dropDatabase, psql } from './postgres.ts';
import { freePorts, run } from './processes.ts';
import { getObject, listKeys } from './s3.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';
import { unsigned } from './unsigned.ts';
import { holdsLockOf, untilNoSession } from './until-waits.ts';

/** What a run may leave on the host and in the bucket. */
export interface Traces {
  /** `name|allows connections|is a template|comment` */
  readonly databases: readonly string[];
  /** Beside the filestore, and it. */
  readonly folders: readonly string[];
  readonly objects: readonly string[];
  /** State of Odoo when it last started. */
  readonly state: unknown;
}

/** Every row, and every file with its content and rights. */
export interface Snapshot {
  readonly sql: string;
  readonly files: ReadonlyMap<string, string>;
}

/** The name of a file without content. */
const added = 'da/da39a3ee5e6b4b0d3255bfef95601890afd80709';

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

  /**
   * @param database default: a name that no other test uses
   * @param more which fixture, the environment of everything that runs on the host, and what is done before Odoo starts
   */
  static async open(
    options: Readonly<Record<string, string>> = {},
    database?: string,
    more: {
      readonly fixture?: Fixture;
      readonly sshEnv?: Readonly<Record<string, string>>;
      readonly beforeStart?: (scene: Scene) => Promise<void>;
    } = {},
  ): Promise<RollbackScene> {
    const [port = 0] = await freePorts(1);
    const web = { http_interface: '127.0.0.1', http_port: String(port) };
    const scene = await Scene.open(
      { database, fixture: more.fixture, options: { ...web, ...options } },
      more.sshEnv,
    );
    try {
      await more.beforeStart?.(scene);
      const server = await startOdooServer(scene.sandbox, scene.odoo, port);
      return new RollbackScene(scene, server, port);
    } catch (error) {
      await scene[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    await this.dropDerived();
    await this.scene[Symbol.asyncDispose]();
  }

  /** Drops what restores have made beside the database. */
  async dropDerived(): Promise<void> {
    const names = await this.sql(
      `SELECT datname FROM pg_database WHERE datname ~ '^${this.database}__(new|old)_'`,
      'postgres',
    );
    for (const name of names.split('\n').filter(Boolean)) {
      await this.sql(`ALTER DATABASE "${name}" IS_TEMPLATE false`, 'postgres');
      await dropDatabase(this.scene.sandbox.postgres, name);
    }
  }

  /** Removes what lies beside the filestore. */
  async removeBeside(pattern: RegExp): Promise<void> {
    const parent = dirname(this.scene.odoo.filestore);
    for (const name of await readdir(parent)) {
      if (pattern.test(name)) await rm(join(parent, name), { recursive: true });
    }
  }

  /** What a dry run may not touch: every file of Odoo's data_dir with its times, and every object's ETag. */
  async everything(): Promise<readonly string[]> {
    const { odoo, client, bucket } = this.scene;
    const files = await run([
      'find',
      odoo.dataDir,
      '!',
      '-name',
      'odoo.log',
      '-printf',
      '%p %M %u %s %T@ %C@ %i\n',
    ]);
    const listed = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
    const objects = (listed.Contents ?? []).map(
      ({ Key, ETag, LastModified }) => `${Key} ${ETag} ${LastModified}`,
    );
    return [...files.split('\n').sort(), ...objects];
  }

  async receipt(key: string): Promise<Receipt> {
    const { client, bucket } = this.scene;
    const bytes = await getObject(client, bucket, key);
    return parseReceipt(JSON.parse(Buffer.from(bytes).toString()), key);
  }

  /** Writes a receipt, as somebody who has no key to sign with. */
  async putReceipt(key: string, receipt: Receipt): Promise<void> {
    const { client, bucket } = this.scene;
    await client.send(
      new PutObjectCommand({ Bucket: bucket, Key: key, Body: JSON.stringify(unsigned(receipt)) }),
    );
  }

  get database(): string {
    return this.scene.odoo.database;
  }

  /** As few inputs as a rollback needs. What was replaced does not pile up, where a test does not ask for that. */
  get inputs(): RawInputs {
    return {
      ...this.scene.inputs,
      'keep-previous': 'until-healthy',
      'stop-command': this.server.stopCommand,
      'start-command': this.server.startCommand,
    };
  }

  /** Starts a command of the program. */
  start(command: string, inputs: RawInputs = {}, env: Variables = {}): Run {
    return startProgram(...this.#asked(command, inputs, env));
  }

  /** Runs one to its end, whatever that is. */
  run(command: string, inputs: RawInputs = {}, env: Variables = {}): Promise<Ended> {
    return runCommand(...this.#asked(command, inputs, env));
  }

  #asked(command: string, inputs: RawInputs, env: Variables): [string, RawInputs, Variables] {
    const given = command === 'backup' ? this.scene.inputs : this.inputs;
    return [command, { ...given, ...inputs }, { ...cleanEnvironment(this.scene.sandbox.s3), ...env }];
  }

  /** Runs it to its end, which has to be a good one. @returns its outputs, and its log */
  async succeeds(
    command: string,
    inputs: RawInputs = {},
  ): Promise<Ended & { readonly outputs: Readonly<Record<string, string>> }> {
    const ended = await this.run(command, inputs);
    assert.equal(ended.exitCode, 0, ended.log);
    return { ...ended, outputs: outputsOf(ended) };
  }

  /** Runs SQL as the server's admin. */
  sql(statement: string, database: string = this.database): Promise<string> {
    return psql(this.scene.sandbox.postgres, database, statement);
  }

  /** What a bad deploy does, and Odoo bears: a table is gone, data has changed, an attachment is new. */
  async change(): Promise<void> {
    const { filestore } = this.scene.odoo;
    await this.sql('DROP TABLE res_partner_bank CASCADE');
    await this.sql("UPDATE res_partner SET name = 'broken ' || id");
    await this.sql(
      `INSERT INTO ir_attachment (name, type, store_fname) VALUES ('new', 'binary', '${added}')`,
    );
    const script = 'cd "$1" && mkdir -p "$2" && : >"$3"';
    const argv = ['sh', '-c', script, 'sh', filestore, dirname(added), added];
    await run(argv, { as: this.scene.sandbox.account });
  }

  /** What it does not bear when it starts: attachments are gone, and torn. */
  async damage(): Promise<void> {
    await this.change();
    const names = await this.files();
    const [gone = '', torn = ''] = [...names.keys()].filter((name) => name.includes('/'));
    const script = 'cd "$1" && rm -- "$2" && printf torn >"$3"';
    const argv = ['sh', '-c', script, 'sh', this.scene.odoo.filestore, gone, torn];
    await run(argv, { as: this.scene.sandbox.account });
  }

  /** The whole state of Odoo, to be compared: every row, every file with its content and rights. */
  async snapshot(): Promise<Snapshot> {
    const { postgres } = this.scene.sandbox;
    return { sql: await sqlOf(postgres, this.database), files: await this.files() };
  }

  /**
   * SHA-1, mode and owner of each file of the filestore, `checklist/` left out. Read one after the other: promises take
   * five times as long, and most tests look several times.
   */
  async files(folder: string = this.scene.odoo.filestore): Promise<Map<string, string>> {
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    const found = new Map<string, string>();
    for (const name of names.filter((each) => !each.startsWith('checklist')).sort()) {
      const path = join(folder, name);
      const stats = statSync(path);
      const content = stats.isFile() ? hash('sha1', readFileSync(path)) : 'folder';
      found.set(name, `${content} ${(stats.mode & 0o777).toString(8)} ${stats.uid}`);
    }
    return found;
  }

  /** Everything a run may change: databases, folders beside the filestore, objects. */
  async traces(): Promise<Traces> {
    const { odoo, client, bucket } = this.scene;
    const databases = await this.sql(
      `SELECT datname, datallowconn, datistemplate, to_json(shobj_description(oid, 'pg_database')) FROM pg_database
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

  /** A line to the host that can be cut. */
  line(): Promise<TcpProxy> {
    return startTcpProxy(this.scene.ssh);
  }

  /**
   * Waits until nothing of a run that was killed is left running, and its lock is free. Runs of other tests have the same
   * server, and are not waited for.
   *
   * @param locked the database that it restored
   */
  async untilQuiet(locked: string = this.database): Promise<void> {
    await assertNothingRuns(this.scene.ssh, this.scene.sandbox.postgres, '');
    await untilNoSession(this.scene.sandbox.postgres, holdsLockOf(locked));
  }

  /** After a swap, or a part of it: the filestore's is taken back, as if a run was killed in between. */
  async pretendHalfSwapped(): Promise<void> {
    const { filestore } = this.scene.odoo;
    const parent = dirname(filestore);
    const old = (await readdir(parent)).find((name) => name.includes('__old_'));
    if (old === undefined) return; // that is how it is
    const at = (name: string) => join(parent, name);
    await rename(filestore, at(old.replace('__old_', '__new_')));
    await rename(at(old), filestore);
  }
}

/** A scene with a backup and a deploy after it. */
export interface DeployedScene extends RollbackScene {
  readonly backedUp: Snapshot;
  readonly deployed: Snapshot;
  /** In the backup. */
  readonly attachments: number;
}

/** @param damage default: Odoo still works with what was changed. @param inputs of the backup */
export async function openDeployed(
  damage: 'change' | 'damage' = 'change',
  inputs: RawInputs = {},
): Promise<DeployedScene> {
  const scene = await RollbackScene.open();
  try {
    const backedUp = await scene.snapshot();
    const attachments = (await scene.server.state())?.attachments ?? 0;
    await scene.succeeds('backup', inputs);
    await scene[damage]();
    await scene.server.stop();
    if (damage === 'change') await scene.server.start();
    return Object.assign(scene, { backedUp, attachments, deployed: await scene.snapshot() });
  } catch (error) {
    await scene[Symbol.asyncDispose]();
    throw error;
  }
}
