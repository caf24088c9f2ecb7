import assert from 'node:assert/strict';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { sqlOf } from './backup-check.ts';
import type { Ended } from './backup-run.ts';
import type { RawInputs } from './inputs.ts';
import { assertNothingRuns } from './leftovers.ts';
import type { Fixture } from './odoo.ts';
import { dropDatabase, psql } from './postgres.ts';
import { run } from './processes.ts';
import { RollbackScene } from './rollback-scene.ts';

/** An Odoo that runs, and copies of it under names that begin with its own. Copies are dropped at the end. */
export class CopyScene implements AsyncDisposable {
  readonly odoo: RollbackScene;

  private constructor(odoo: RollbackScene) {
    this.odoo = odoo;
  }

  /** @param sshEnv the environment of everything that runs on the host */
  static async open(
    options: Readonly<Record<string, string>> = {},
    fixture?: Fixture,
    sshEnv: Readonly<Record<string, string>> = {},
  ): Promise<CopyScene> {
    return new CopyScene(await RollbackScene.open(options, undefined, { fixture, sshEnv }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { postgres } = this.odoo.scene.sandbox;
    const ours = `SELECT datname FROM pg_database WHERE datname ~ '^${this.odoo.database}_[a-z_]'`;
    for (const name of (await this.sql(ours, 'postgres')).split('\n').filter(Boolean)) {
      await this.sql(`ALTER DATABASE "${name}" IS_TEMPLATE false`, 'postgres');
      await dropDatabase(postgres, name);
    }
    await this.odoo[Symbol.asyncDispose]();
  }

  /** The name of a copy. */
  named(name: string): string {
    return `${this.odoo.database}_${name}`;
  }

  /** Where a copy's attachments lie. */
  filestoreOf(database: string): string {
    return join(this.odoo.scene.odoo.dataDir, 'filestore', database);
  }

  sql(statement: string, database: string = this.odoo.database): Promise<string> {
    return psql(this.odoo.scene.sandbox.postgres, database, statement);
  }

  /** Makes a copy and returns the log. The inputs are those of `restore`, without what is about stopping. */
  async restore(name: string, inputs: RawInputs = {}): Promise<Ended> {
    return this.odoo.succeeds('restore', { ...unstopped, 'target-database': this.named(name), ...inputs });
  }

  /** A copy as it was: nothing but its name is another. */
  restoreUnchanged(name: string, inputs: RawInputs = {}): Promise<Ended> {
    return this.restore(name, { neutralize: 'false', 'new-uuid': 'false', ...inputs });
  }

  /** Every row of a database, and the content of every file. */
  async content(database: string = this.odoo.database): Promise<Content> {
    const [sql, files] = await Promise.all([
      sqlOf(this.odoo.scene.sandbox.postgres, database),
      this.odoo.files(this.filestoreOf(database)),
    ]);
    return { sql, files: [...files].map(([name, seen]) => `${name} ${seen.split(' ')[0]}`) };
  }

  /** That a copy holds what another database, or the same one earlier, held. */
  async assertContent(name: string, expected: Content): Promise<void> {
    const content = await this.content(this.named(name));
    assert.deepEqual(content.files, expected.files);
    assert.ok(content.sql === expected.sql, `${name} holds other rows`);
  }

  /**
   * Runs that are refused, each with exit code 1 and these words in its log; several at once, of which no more
   * than one may take the database's lock, as a rollback does. Afterwards the host and the bucket are as they were:
   * databases, folders, objects, Odoo, and the content of its database and filestore.
   */
  async refuses(runs: readonly Refused[]): Promise<readonly Ended[]> {
    const { scene } = this.odoo;
    const before = [await this.odoo.traces(), await this.odoo.snapshot()];
    const left = [...runs.entries()];
    const ended: Ended[] = [];
    const worker = async () => {
      for (let next = left.shift(); next; next = left.shift()) {
        const [i, { command = 'restore', inputs = {}, words }] = next;
        const target: RawInputs =
          command === 'restore' ? { ...unstopped, 'target-database': this.named(`refused_${i}`) } : {};
        const run = await this.odoo.run(command, { ...target, ...inputs });
        for (const pattern of words) assert.match(run.log, pattern);
        assert.equal(run.exitCode, 1, run.log);
        assert.doesNotMatch(run.log, /\n\s+at .*\.(?:ts|mjs):/, 'a stack trace is no message for a person');
        assert.equal(run.stdout, '', 'a failed run has no outputs');
        ended[i] = run;
      }
    };
    await Promise.all([worker(), worker(), worker()]);
    assert.deepEqual([await this.odoo.traces(), await this.odoo.snapshot()], before);
    await assertNothingRuns(scene.ssh, scene.sandbox.postgres, 'none');
    return ended;
  }

  /** Puts an object into the bucket, `acme/backups/` in front, and returns its key. */
  async put(name: string, body: Uint8Array | string): Promise<string> {
    const { client, bucket } = this.odoo.scene;
    const key = `acme/backups/${name}`;
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
    return key;
  }

  /** Runs pg_dump on Odoo's database. @returns the path of what it has written */
  async dump(name: string, ...options: readonly string[]): Promise<string> {
    const { sandbox, folder } = this.odoo.scene;
    const { postgres } = sandbox;
    const path = join(folder, name);
    const way = ['-h', postgres.socket, '-p', String(postgres.port), '-U', postgres.odoo.name];
    await run([join(postgres.bin, 'pg_dump'), ...way, '--file', path, ...options, this.odoo.database]);
    return path;
  }
}

/** Content of a database and its filestore. */
export interface Content {
  readonly sql: string;
  readonly files: readonly string[];
}

/** A run that is not to do anything. */
export interface Refused {
  /** Default: `restore`, into a name of its own. */
  readonly command?: 'restore' | 'rollback';
  readonly inputs?: RawInputs;
  readonly words: readonly RegExp[];
}

/** A new name has nothing that would have to stop. */
const unstopped: RawInputs = { 'stop-command': '', 'start-command': '' };
