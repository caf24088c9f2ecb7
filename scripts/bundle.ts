// Bundles the program into dist, whose main.js is what `uses:` runs. `--check`: fails where a file of dist is stale,
// lacks, or is one too many.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatBytes } from '../src/util/format.ts';
import { bundleProgram } from './program-bundle.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

/** Bundles into a folder. @returns the size of each file of the program in bytes, by its path */
async function bundle(folder: string): Promise<Map<string, number>> {
  const metafile = await bundleProgram(folder);
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.keys(output.inputs));
  await writeFile(join(folder, 'LICENSES.txt'), await licenses(inputs));
  const sizes = Object.entries(metafile.outputs).map(([path, { bytes }]) => [basename(path), bytes] as const);
  return new Map(sizes);
}

/** The licence texts of the packages that the bundle is made of, as most of them ask; each text once. */
async function licenses(inputs: readonly string[]): Promise<string> {
  const folders = new Set(inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []));
  const namesByText = new Map<string, string[]>();
  for (const folder of [...folders].sort()) {
    const { name, version, license } = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8'));
    const file = (await readdir(join(root, folder))).sort().find((each) => /^licen[cs]e/i.test(each));
    const text = file
      ? await readFile(join(root, folder, file), 'utf8')
      : `${license}, without a text of its own`;
    const tidy = text.replaceAll(/[ \t\r]+$/gm, '').trim();
    namesByText.set(tidy, [...(namesByText.get(tidy) ?? []), `${name} ${version}`]);
  }
  const sections = [...namesByText].map(([text, names]) => `${names.join('\n')}\n\n${text}\n`);
  return sections.join(`\n${'-'.repeat(80)}\n\n`);
}

async function check(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bundle-'));
  try {
    await bundle(folder);
    const names = new Set([...(await filesOf(folder)), ...(await filesOf(dist))]);
    for (const name of names) {
      const [fresh, committed] = await Promise.all(
        [folder, dist].map((each) => readFile(join(each, name)).catch(() => undefined)),
      );
      if (fresh && committed?.equals(fresh)) continue;
      console.error(`dist/${name} is stale: run \`npm run bundle\`.`);
      process.exitCode = 1;
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Paths of the files in a folder, and in those below it. */
async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => !entry.isDirectory());
  return files.map(({ parentPath, name }) => relative(folder, join(parentPath, name)));
}

if (process.argv.includes('--check')) {
  await check();
} else {
  const sizes = await bundle(dist);
  const total = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
  const always = formatBytes(sizes.get('main.mjs') ?? 0);
  console.log(`dist/program: ${sizes.size} files, ${formatBytes(total)}, of which main.mjs has ${always}`);
}
