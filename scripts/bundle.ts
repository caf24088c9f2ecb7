// Bundles src/main.ts into dist/program: a file of what every run needs, and files that are loaded when a command or a
// platform needs them. dist/main.js stands before them, which is what `uses:` runs. `--check`: fails where a file of
// dist is stale, lacks, or is one too many.
import { chmod, copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { formatBytes } from '../src/util/format.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

/**
 * `require`, where the source loads a package at the moment it is needed: in the bundle that is esbuild's own, which has
 * the package inside and runs it then.
 */
const lazyPackages: Plugin = {
  name: 'lazy packages',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const contents = source.replace('const require = createRequire(import.meta.url);\n', '');
      return { contents, loader: 'ts' };
    });
  },
};

/** The toolkit of GitHub loads an HTTP client of 800 KB for OIDC tokens, which this program gets without it. */
const withoutOidc: Plugin = {
  name: 'without OIDC',
  setup({ onLoad }) {
    const missing = "throw new Error('scripts/bundle.ts leaves OIDC tokens out')";
    const contents = `export class OidcClient { static getIDToken() { ${missing}; } }`;
    onLoad({ filter: /@actions[\\/]core[\\/]lib[\\/]oidc-utils\.js$/ }, () => ({ contents }));
  },
};

/**
 * `import` of Node's http evaluates all of its exports, for one of which Node loads its whole fetch; `require` does not.
 * That is 30 ms of each run.
 */
const requiredHttp: Plugin = {
  name: 'required http',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(node:)?http$/ }, ({ kind }) =>
      kind === 'import-statement' ? { path: 'node:http', namespace: 'required' } : undefined,
    );
    onLoad({ filter: /^node:http$/, namespace: 'required' }, () => ({
      contents: "module.exports = require('node:http');",
    }));
  },
};

/** Bundles into a folder. @returns the size of each file of the program in bytes, by its path */
async function bundle(folder: string): Promise<Map<string, number>> {
  await rm(join(folder, 'program'), { recursive: true, force: true });
  const { metafile } = await build({
    absWorkingDir: root, // paths in the output are relative to it: the same on every machine
    entryPoints: [{ in: 'src/main.ts', out: 'program/main' }],
    outdir: folder,
    // GitLab's component fetches dist alone, without package.json, which would say that these are modules.
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    chunkNames: 'program/[name]-[hash]',
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // As modules, from which what is not used can be left out.
    mainFields: ['module', 'main'],
    // ssh2's optional native parts: it goes without.
    external: ['cpu-features', '*.node'],
    alias: { 'crc-32': './src/archive/crc-32.ts' },
    plugins: [lazyPackages, withoutOidc, requiredHttp],
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
    // Half the size, and half the time to load it. Names stay: they stand in the stacks of unexpected errors.
    minifySyntax: true,
    minifyWhitespace: true,
    keepNames: true,
    logLevel: 'warning',
  });
  await copyFile(join(root, 'src/entry.js'), join(folder, 'main.js'));
  await chmod(join(folder, 'main.js'), 0o755);
  await chmod(join(folder, 'program/main.mjs'), 0o644); // esbuild follows the shebang of src/main.ts
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
