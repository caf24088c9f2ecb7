import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { DirectoryEntry } from '../../src/archive/central-directory.ts';
import { readDirectory } from '../../src/archive/reader.ts';
import { receiptKey } from '../../src/catalog/keys.ts';
import type { Proof } from '../../src/catalog/proofs.ts';
import { parseReceipt, type Receipt } from '../../src/catalog/receipt.ts';
import { Phases } from '../../src/platform/phases.ts';
import type { Platform } from '../../src/platform/platform.ts';
import { Store } from '../../src/s3/store.ts';
import type { Identities } from '../../src/sealing/identities.ts';
import { prove } from '../../src/verify/prove.ts';
import {
  cleanEnvironment,
  type Ended,
  type Made,
  type Run,
  runCommand,
  Scene,
  startProgram,
} from './backup-run.ts';
import type { RawInputs } from './inputs.ts';
import { getObject, type S3Server } from './s3.ts';
import { unsigned } from './unsigned.ts';
import { entriesOf, pythonZip, rangesOf } from './zips.ts';

/** Backups of one Odoo, to be damaged and verified. */
export class VerifyScene implements AsyncDisposable {
  readonly scene: Scene;
  readonly store: Store;

  private constructor(scene: Scene) {
    const { accessKeyId, secretAccessKey, endpoint } = scene.sandbox.s3;
    process.env.AWS_ACCESS_KEY_ID = accessKeyId;
    process.env.AWS_SECRET_ACCESS_KEY = secretAccessKey;
    this.scene = scene;
    this.store = new Store({ bucket: scene.bucket, prefix: '', endpoint, pathStyle: true });
  }

  static async open(): Promise<VerifyScene> {
    return new VerifyScene(await Scene.open());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.store[Symbol.dispose]();
    await this.scene[Symbol.asyncDispose]();
  }

  /** Puts a backup into the bucket, which the scene has taken out of it, or what has become of it. */
  async put(receipt: Receipt, object: Uint8Array): Promise<void> {
    const put = (key: string, body: Uint8Array | string) =>
      this.scene.client.send(new PutObjectCommand({ Bucket: this.scene.bucket, Key: key, Body: body }));
    await put(receipt.key, object);
    await put(receiptKey(receipt.key), JSON.stringify(unsigned(receipt)));
  }

  /** The receipt as it is in the bucket. */
  async receipt(key: string): Promise<Receipt> {
    return parseReceipt(JSON.parse(await this.receiptText(key)), key);
  }

  async receiptText(key: string): Promise<string> {
    return Buffer.from(await getObject(this.scene.client, this.scene.bucket, receiptKey(key))).toString();
  }

  /** A look at the contents, without the program round it. Nothing is written. */
  async proof(receipt: Receipt, object: Uint8Array, identities?: Identities): Promise<Proof> {
    await this.put(receipt, object);
    const { signal } = new AbortController();
    const platform = silentPlatform();
    const run = { platform, phases: new Phases(platform), signal };
    const subject = { store: this.store, key: receipt.key, receipt, identities };
    return prove(subject, { level: 'contents' }, run);
  }

  /** The command, as the command line has it. */
  start(inputs: RawInputs = {}, at: S3Server = this.scene.sandbox.s3, command = 'verify'): Run {
    return startProgram(command, { ...this.#where(at), ...inputs }, cleanEnvironment(at));
  }

  #where({ endpoint }: S3Server): RawInputs {
    const { 's3-bucket': bucket, customer } = this.scene.inputs;
    return { 's3-bucket': bucket, 's3-endpoint': endpoint, customer };
  }

  run(inputs: RawInputs = {}, at: S3Server = this.scene.sandbox.s3, command = 'verify'): Promise<Ended> {
    return runCommand(command, { ...this.#where(at), ...inputs }, cleanEnvironment(at));
  }

  /**
   * A backup whose archive was written anew, as a sound zip, with some members exchanged or left out (null); its
   * receipt fits it, or is still that of the old one. What is added comes first.
   */
  async rewritten(
    { receipt, path }: Made,
    change: Readonly<Record<string, Uint8Array | null>>,
    options: { readonly keepReceipt?: boolean; readonly added?: Readonly<Record<string, Uint8Array>> } = {},
  ): Promise<{ receipt: Receipt; object: Buffer }> {
    const folder = await mkdtemp(join(this.scene.folder, 'members-'));
    const files: Record<string, string | null> = {};
    const all = { ...change, ...options.added };
    for (const [index, [name, content]] of Object.entries(all).entries()) {
      const file = join(folder, String(index));
      if (content) await writeFile(file, content);
      files[name] = content && file;
    }
    const object = await pythonZip(`
import json
change = json.loads(${JSON.stringify(JSON.stringify(files))})
for name in ${JSON.stringify(Object.keys(options.added ?? {}))}: z.writestr(name, open(change[name], 'rb').read())
with zipfile.ZipFile(${JSON.stringify(path)}) as old:
    for info in old.infolist():
        file = change.get(info.filename, '')
        if file is None: continue
        z.writestr(zipfile.ZipInfo(info.filename), open(file, 'rb').read() if file else old.read(info.filename))`);
    if (options.keepReceipt) return { receipt, object };
    const { directory } = await readDirectory(rangesOf(object));
    return { receipt: { ...receipt, size: object.length, directory, segments: [], sums: undefined }, object };
  }
}

/** With one bit turned over. */
export function flipped(object: Uint8Array, at: number): Buffer {
  const bytes = Buffer.from(object);
  bytes[at] = (bytes[at] ?? 0) ^ 0x10;
  return bytes;
}

/** Where the parts of an entry lie in a zip, in bytes. */
export interface Places {
  readonly entry: DirectoryEntry;
  readonly header: number;
  readonly data: number;
  readonly dataEnd: number;
  /** Offset of the entry in the directory. */
  readonly directory: number;
}

/** @param pattern of the entry's name */
export async function placesOf(object: Uint8Array, pattern: RegExp): Promise<Places> {
  const zip = Buffer.from(object);
  const entry = [...(await entriesOf(zip)).values()].find(({ name }) => pattern.test(name));
  assert.ok(entry, String(pattern));
  const header = entry.offset;
  const data = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28);
  return { entry, header, data, dataEnd: data + entry.compressedSize, directory: zip.lastIndexOf(entry.raw) };
}

function silentPlatform(): Platform {
  return {
    run: { platform: 'terminal' },
    progressIntervalMs: 60_000,
    input: () => '',
    secret() {},
    idToken: async () => '',
    prepare: () => {},
    finish: async () => {},
    group: (_, body) => body(),
    info() {},
    notice() {},
    warning() {},
    progress() {},
    output() {},
    async summary() {},
    fail() {},
  };
}
