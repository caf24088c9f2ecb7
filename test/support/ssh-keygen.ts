// Keys and signatures by OpenSSH's own programs.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A key pair in files. */
export interface KeyFile {
  readonly path: string;
  readonly pem: string;
  /** `ssh-ed25519 AAAA…` */
  readonly publicKey: string;
  readonly fingerprint: string;
}

/** A message, and a signature that is to be one of it. */
export interface SignedMessage {
  readonly signature: string;
  readonly namespace: string;
  readonly message: string;
}

/** A folder with keys, and what ssh-keygen says of signatures. */
export class KeyFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'signing-'));
  #files = 0;

  /** @param options of ssh-keygen: `-t`, `rsa`, `-b`, `3072` */
  newKey(...options: readonly string[]): KeyFile {
    const path = this.file();
    execFileSync('ssh-keygen', [
      '-q',
      '-C',
      '',
      '-f',
      path,
      ...(options.includes('-N') ? [] : ['-N', '']),
      ...options,
    ]);
    return this.existing(path);
  }

  /** A key without a passphrase, or whose public half lies beside it. */
  existing(path: string): KeyFile {
    const half = existsSync(`${path}.pub`)
      ? readFileSync(`${path}.pub`, 'utf8')
      : execFileSync('ssh-keygen', ['-yf', path], { encoding: 'utf8' });
    const [, fingerprint = ''] = execFileSync('ssh-keygen', ['-lf', '-'], {
      input: half,
      encoding: 'utf8',
    }).split(' ');
    return { path, pem: readFileSync(path, 'utf8'), publicKey: half.trim(), fingerprint };
  }

  /** Signs as `ssh-keygen -Y sign` does. */
  sign(key: KeyFile, namespace: string, message: string, ...options: readonly string[]): string {
    const args = ['-q', '-Y', 'sign', '-f', key.path, '-n', namespace, ...options];
    return execFileSync('ssh-keygen', args, { input: message, encoding: 'utf8' });
  }

  /** What `ssh-keygen -Y check-novalidate` says: whether the signature is one of the message. */
  isSignature(signature: string, namespace: string, message: string): boolean {
    const args = ['-Y', 'check-novalidate', '-n', namespace, '-s', this.file(signature)];
    return spawnSync('ssh-keygen', args, { input: message }).status === 0;
  }

  /** What `ssh-keygen -Y verify` says of a principal. */
  verifies(
    { allowed, principal }: { readonly allowed: string; readonly principal: string },
    { signature, namespace, message }: SignedMessage,
    ...options: readonly string[]
  ): boolean {
    const args = [
      '-Y',
      'verify',
      '-f',
      this.file(allowed),
      '-I',
      principal,
      '-n',
      namespace,
      '-s',
      this.file(signature),
      ...options,
    ];
    return spawnSync('ssh-keygen', args, { input: message }).status === 0;
  }

  /** The first line of `ssh-keygen -Y find-principals`; undefined where it finds none. */
  principals(allowed: string, signature: string): string | undefined {
    const args = ['-Y', 'find-principals', '-f', this.file(allowed), '-s', this.file(signature)];
    const { status, stdout } = spawnSync('ssh-keygen', args, { encoding: 'utf8' });
    return status === 0 ? stdout.split('\n')[0] : undefined;
  }

  /** The path of a new file with this content; without, of none yet. */
  file(content?: string): string {
    this.#files += 1;
    const path = join(this.path, String(this.#files));
    if (content !== undefined) writeFileSync(path, content);
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** An agent with these keys, until it is disposed of. */
export class SshAgent implements Disposable {
  readonly socket: string;
  readonly #pid: number;

  constructor(folder: KeyFolder, keys: readonly KeyFile[]) {
    this.socket = folder.file();
    const said = execFileSync('ssh-agent', ['-s', '-a', this.socket], { encoding: 'utf8' });
    this.#pid = Number(/SSH_AGENT_PID=(\d+)/.exec(said)?.[1]);
    const env = { ...process.env, SSH_AUTH_SOCK: this.socket };
    for (const { path } of keys) execFileSync('ssh-add', ['-q', path], { env, stdio: 'ignore' });
  }

  [Symbol.dispose](): void {
    process.kill(this.#pid);
  }
}
