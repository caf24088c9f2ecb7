import { globSync } from 'node:fs';
import { join } from 'node:path';
import { bundleProgram } from '../../scripts/program-bundle.ts';
import { madeOnce } from './made-once.ts';
import { PROGRAM_FOLDER } from './program-folder.ts';

const root = join(import.meta.dirname, '../..');

/**
 * Has the tests run the working tree's program as a bundle, as it is published: it starts in half the time that its
 * source takes.
 */
export async function bundleForTests(): Promise<void> {
  const sources = globSync('src/**/*', { cwd: root }).filter((path) => /\.[jt]s$/.test(path));
  const files = [...sources, 'package-lock.json', 'scripts/program-bundle.ts'].sort();
  const origin = { texts: files, files: files.map((file) => join(root, file)) };
  process.env[PROGRAM_FOLDER] = await madeOnce('program', origin, async (path) => {
    await bundleProgram(path);
  });
}
