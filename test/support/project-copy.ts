import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A copy of the project, in which scripts may change what they like. */
export interface ProjectCopy {
  readonly folder: string;
  /** The paths of its files when it was made. */
  readonly files: readonly string[];
  /** Runs one of its scripts, and returns what that prints. @throws Error where it fails */
  node(script: string, ...args: readonly string[]): string;
}

/** Copies the files of the working tree that are, or will be, in the repository. */
export function copyProject(): ProjectCopy {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const files = execFileSync('git', ['-C', root, ...list], { encoding: 'utf8' })
    .split('\0')
    .filter(Boolean);
  const folder = mkdtempSync(join(tmpdir(), 'project-'));
  for (const file of files) cpSync(join(root, file), join(folder, file));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return {
    folder,
    files,
    node: (script, ...args) =>
      execFileSync(process.execPath, [join(folder, script), ...args], { encoding: 'utf8', stdio: 'pipe' }),
  };
}
