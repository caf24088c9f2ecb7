// Bundles src/main.ts into dist/program.js, and puts dist/main.js before it, which is what `uses:` runs. `--check`:
// fails where dist is stale.
import { chmod, copyFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { formatBytes } from '../src/util/format.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

async function bundle(folder: string): Promise<void> {
  const { metafile } = await build({
    absWorkingDir: root, // paths in the output are relative to it: the same on every machine
    entryPoints: ['src/main.ts'],
    outfile: join(folder, 'program.js'),
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // ssh2's optional native parts: it goes without.
    external: ['cpu-features', '*.node'],
    alias: { 'crc-32': './src/archive/crc-32.ts' },
    // What CommonJS packages inside the bundle expect to find.
    banner: {
      js: [
        "import { createRequire as __createRequire } from 'node:module';",
        'const require = __createRequire(import.meta.url);',
        'const __filename = import.meta.filename;',
        'const __dirname = import.meta.dirname;',
      ].join('\n'),
    },
    legalComments: 'none', // LICENSES.txt has them in full
    metafile: true,
    minifySyntax: true, // drops what can never run; names and lines stay readable
    keepNames: true,
    logLevel: 'warning',
  });
  await copyFile(join(root, 'src/entry.js'), join(folder, 'main.js'));
  await chmod(join(folder, 'main.js'), 0o755);
  await chmod(join(folder, 'program.js'), 0o644); // esbuild follows the shebang of src/main.ts
  await writeFile(join(folder, 'LICENSES.txt'), await licenses(Object.keys(metafile.inputs)));
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
    const names = new Set([...(await readdir(folder)), ...(await readdir(dist).catch(() => []))]);
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

if (process.argv.includes('--check')) {
  await check();
} else {
  await bundle(dist);
  console.log(`dist/program.js: ${formatBytes((await stat(join(dist, 'program.js'))).size)}`);
}
