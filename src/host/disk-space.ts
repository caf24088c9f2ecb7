import type { Folder } from './folder.ts';
import { CommandError, type Host } from './host.ts';
import { run } from './run.ts';

/** A file system of the host. */
export interface FileSystem {
  /** What tells it from others: its device, or its mount point where it has no device of its own. */
  readonly device: string;
  /** Where it is mounted. In containers that differs for one file system. */
  readonly mount: string;
  /** Bytes left for the account that asked. */
  readonly free: number;
}

/** The file system that a folder is in, or would be; undefined where that cannot be told. */
export async function fileSystemOf({ host, path, command }: Folder): Promise<FileSystem | undefined> {
  const script = 'path=$1; until [ -e "$path" ]; do path=$(dirname -- "$path"); done; exec df -Pk -- "$path"';
  const [, line = ''] = (await answerOf(host, command(['sh', '-c', script, 'sh', path]))).split('\n');
  const [, source = '', free, mount] = /^(\S+).*\s(\d+)\s+\d+%\s+(\/.*)$/.exec(line) ?? [];
  if (mount === undefined) return undefined;
  return { device: source.startsWith('/dev/') ? source : mount, mount, free: Number(free) * 1024 };
}

/** What a command says; nothing where it fails. */
export async function answerOf(host: Host, command: Parameters<typeof run>[1]): Promise<string> {
  try {
    return await run(host, command);
  } catch (error) {
    if (error instanceof CommandError) return '';
    throw error;
  }
}
