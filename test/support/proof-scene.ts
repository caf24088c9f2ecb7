import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { openSource, type RestoreSource } from '../../src/backup-reader/open.ts';
import { receiptKey } from '../../src/catalog/keys.ts';
import type { Proof } from '../../src/catalog/proofs.ts';
import { Phases } from '../../src/platform/phases.ts';
import type { Platform } from '../../src/platform/platform.ts';
import { Store } from '../../src/s3/store.ts';
import { restoreAndCompare } from '../../src/verify/restore/restore-and-compare.ts';
import type { RestoreTest } from '../../src/verify/restore/restore-test.ts';
import { type Made, Scene } from './backup-run.ts';
import type { RawInputs } from './inputs.ts';
import { memoryFolder } from './memory-folder.ts';
import type { OdooOptions } from './odoo.ts';
import { psql } from './postgres.ts';
import { run } from './processes.ts';
import { getObject, listKeys } from './s3.ts';
import { pythonZip } from './zips.ts';

/** An Odoo, a bucket, and a folder for all that restore tests put on the runner. */
export class ProofScene implements AsyncDisposable {
  readonly scene: Scene;
  readonly store: Store;
  /** Takes TMPDIR's place: empty between tests. In memory, for many a PostgreSQL is made and removed in it. */
  readonly tmp: string;
  /** What the last test has said. */
  readonly log: string[] = [];

  private constructor(scene: Scene, store: Store, tmp: string) {
    this.scene = scene;
    this.store = store;
    this.tmp = tmp;
  }

  static async open(options: OdooOptions = {}): Promise<ProofScene> {
    const scene = await Scene.open(options);
    const tmp = await memoryFolder('odoo-backup-proof');
    await chmod(tmp, 0o1777); // servers are somebody else's where we are root
    const { accessKeyId, secretAccessKey, endpoint } = scene.sandbox.s3;
    process.env.AWS_ACCESS_KEY_ID = accessKeyId;
    process.env.AWS_SECRET_ACCESS_KEY = secretAccessKey;
    process.env.TMPDIR = tmp;
    const store = new Store({ bucket: scene.bucket, prefix: '', endpoint, pathStyle: true });
    return new ProofScene(scene, store, tmp);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    delete process.env.TMPDIR;
    this.store[Symbol.dispose]();
    await this.scene[Symbol.asyncDispose]();
    await rm(this.tmp, { recursive: true });
  }

  get platform(): Platform {
    const say = (line: string) => void this.log.push(line);
    return {
      run: { platform: 'terminal' },
      progressIntervalMs: 60_000,
      input: () => '',
      secret: () => {},
      idToken: async () => '',
      prepare: () => {},
      finish: async () => {},
      group: (_, body) => body(),
      info: say,
      notice: say,
      warning: say,
      progress: () => {},
      output: () => {},
      summary: async () => {},
      fail: () => {},
    };
  }

  sql(statement: string): Promise<string> {
    return psql(this.scene.sandbox.postgres, this.scene.odoo.database, statement);
  }

  /** Makes a backup, and leaves it in the bucket. */
  async backup(inputs: RawInputs = {}): Promise<Made> {
    const made = await this.aside(() => this.scene.backup(inputs));
    await this.put(made.receipt.key, made.object);
    await this.put(receiptKey(made.receipt.key), JSON.stringify(made.receipt));
    return made;
  }

  /** Takes a backup out of the bucket. */
  async remove({ receipt: { key } }: Made): Promise<void> {
    const { client, bucket } = this.scene;
    for (const Key of [receiptKey(key), key]) {
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
    }
  }

  /** Runs what wants the bucket for itself: what is in it is taken out, and put back afterwards. */
  async aside<T>(body: () => Promise<T>): Promise<T> {
    const { client, bucket } = this.scene;
    const objects = new Map<string, Uint8Array>();
    for (const key of await listKeys(client, bucket)) {
      objects.set(key, await getObject(client, bucket, key));
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
    }
    try {
      return await body();
    } finally {
      for (const [key, bytes] of objects) await this.put(key, bytes);
    }
  }

  /**
   * The same backup with other members (null: without that one), and so without a receipt. @returns its key
   *
   * @param members paths of files by the names of members; `*.dump` for the archive's own dump
   */
  async changed(made: Made, members: Readonly<Record<string, string | null>>): Promise<string> {
    const zip = await pythonZip(`import fnmatch
members = ${JSON.stringify(members).replaceAll('null', 'None')}
with zipfile.ZipFile(${JSON.stringify(made.path)}) as old:
    for name in old.namelist():
        pattern = next((each for each in members if fnmatch.fnmatch(name, each)), None)
        if pattern is None: z.writestr(name, old.read(name))
        elif members[pattern]: z.write(members[pattern], name)`);
    const key = made.receipt.key.replace(/_\d\d-\d\d-\d\d\.zip$/, '_00-00-00.zip');
    await this.put(key, zip);
    return key;
  }

  async put(key: string, body: Uint8Array | string): Promise<void> {
    const { client, bucket } = this.scene;
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
  }

  source(key: string): Promise<RestoreSource> {
    return openSource(this.store, {
      customer: 'acme',
      backup: key,
      database: undefined,
      allowUnverified: true,
    });
  }

  /** Tests a backup. Whatever becomes of it, nothing is left on the runner. */
  async prove(
    key: string,
    test: RestoreTest = onRunner,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<Pick<Proof, 'programs' | 'seconds'>> {
    this.log.length = 0;
    try {
      const run = { platform: this.platform, phases: new Phases(this.platform), signal };
      return await restoreAndCompare(await this.source(key), test, undefined, run);
    } finally {
      await this.assertNothingLeft();
    }
  }

  async assertNothingLeft(): Promise<void> {
    assert.deepEqual(await readdir(this.tmp), [], 'files were left on the runner');
    assert.deepEqual(await processesIn(this.tmp), [], 'processes were left on the runner');
  }

  /** A folder for the test's own files. */
  async folder(name: string): Promise<string> {
    const path = join(this.scene.folder, name);
    await mkdir(path, { recursive: true });
    return path;
  }

  /** Dumps Odoo's database as it is now. @returns the path of the dump */
  async dump(...options: readonly string[]): Promise<string> {
    const { sandbox, folder, odoo } = this.scene;
    const { postgres } = sandbox;
    const path = join(folder, 'changed.dump');
    const way = ['-h', postgres.socket, '-p', String(postgres.port), '-U', 'odoo'];
    await run([
      join(postgres.bin, 'pg_dump'),
      ...way,
      '--no-owner',
      `--file=${path}`,
      ...options,
      odoo.database,
    ]);
    return path;
  }
}

export const onRunner: RestoreTest = { kind: 'runner' };

/** Processes whose command line speaks of a folder. */
async function processesIn(folder: string): Promise<string[]> {
  const all = await run(['ps', '-eo', 'pid=,args=']);
  return all.split('\n').filter((line) => line.includes(folder) && !line.includes('ps -eo'));
}
