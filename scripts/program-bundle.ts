// The program as one folder: what it takes to run, and nothing else.
import { chmod, copyFile, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile, type Plugin } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

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
 * `import` of a module of Node's own evaluates all of its exports. For one of http's, Node loads its whole fetch; for
 * some of process and util, much that nobody uses. `require` does not: that is 25 ms of each run.
 */
const requiredModules: Plugin = {
  name: 'required modules',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(node:)?(http|process|util)$/ }, ({ kind, path }) =>
      kind === 'import-statement' || kind === 'dynamic-import'
        ? { path: path.replace(/^(node:)?/, 'node:'), namespace: 'required' }
        : undefined,
    );
    onLoad({ filter: /^/, namespace: 'required' }, ({ path }) => ({
      contents: `module.exports = require('${path}');`,
    }));
  },
};

/**
 * Bundles src/main.ts into a folder: `main.js`, which is run, and `program/`, a file of what every run needs and files
 * that are loaded when a command or a platform needs them.
 */
export async function bundleProgram(folder: string): Promise<Metafile> {
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
    plugins: [lazyPackages, withoutOidc, requiredModules],
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
  return metafile;
}
