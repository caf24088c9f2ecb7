import type { Folder } from './folder.ts';
import { run } from './run.ts';

/**
 * Whether a folder is where something is mounted, also a part of the same disk (a bind mount, a volume). Such a folder
 * cannot be renamed (EBUSY). Where the host has no /proc, this cannot be determined.
 *
 * @see https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html
 */
export async function isMountPoint({ host, path, command }: Folder): Promise<boolean> {
  const script = 'cat /proc/self/mountinfo 2>/dev/null; :';
  const mounts = await run(host, command(['sh', '-c', script]));
  return mounts.split('\n').some((line) => unescaped(line.split(' ')[4] ?? '') === path);
}

/** Blanks and the like stand as octal numbers there: `\\040`. */
const unescaped = (field: string): string =>
  field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
