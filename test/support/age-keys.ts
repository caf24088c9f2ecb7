import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A key of age, made by `age-keygen`. */
export interface AgeKey {
  /** Path of the identity file. */
  readonly path: string;
  /** The text of it. */
  readonly text: string;
  /** `AGE-SECRET-KEY-1…` */
  readonly identity: string;
  /** `age1…` */
  readonly recipient: string;
}

/** A folder of keys that are gone with it. */
export class AgeKeys implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'age-keys-'));
  #made = 0;

  newKey(): AgeKey {
    this.#made += 1;
    const path = join(this.#folder, `${this.#made}.key`);
    execFileSync('age-keygen', ['-o', path], { stdio: 'ignore' });
    const text = readFileSync(path, 'utf8');
    const [identity = ''] = /AGE-SECRET-KEY-1\w+/.exec(text) ?? [];
    const recipient = execFileSync('age-keygen', ['-y', path], { encoding: 'utf8' }).trim();
    return { path, text, identity, recipient };
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
