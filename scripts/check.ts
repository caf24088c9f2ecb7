// Checks what neither the compiler nor the linter knows of: who may import what, the workflows, and action.yml.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { circles, doubleNames, floorOf, imports } from './house.ts';
import { isAdopted, placeholder, readHome } from './repository.ts';
import { actionProblems, workflowProblems } from './workflows.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const problems: string[] = [];

/** A package that one part of the source alone may import. */
const boundaries: readonly { readonly imports: RegExp; readonly within: RegExp }[] = [
  { imports: /^@actions\/core/, within: /^src\/platform\/github\.ts$/ },
  { imports: /^@actions\/(exec|tool-cache)/, within: /^src\/verify\/restore\/servers\// },
  { imports: /^@(aws-sdk|smithy)\//, within: /^src\/s3\// },
  { imports: /^ssh2/, within: /^src\/host\/ssh\// },
  { imports: /^commander/, within: /^src\/inputs\/command-line\/(program|help)\.ts$/ },
  { imports: /^yaml/, within: /^src\/(inputs\/inventory\/yaml|platform\/gitlab-pipeline)\.ts$/ },
  { imports: /^age-encryption/, within: /^src\/sealing\/(recipients|identities)\.ts$/ },
  { imports: /^@scure\//, within: /^src\/sealing\/x25519\.ts$/ },
  { imports: /^archiver/, within: /^src\/archive\/(segment-writer|archiver-internals|small-zip)\.ts$/ },
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

for (const files of circles()) {
  problems.push(
    `${files.join(' → ')} → ${files[0]}: import each other: a type or function of theirs belongs into another file`,
  );
}

for (const file of globSync(['action.yml', '.github/actions/*/action.yml'], { cwd: root })) {
  const { main } = (parse(read(file)) as { runs: { main: string } }).runs;
  if (!existsSync(new URL(main, new URL(`../${file}`, import.meta.url)))) {
    problems.push(`${file}: ${main} does not exist`);
  }
  for (const problem of await actionProblems(read(file), file)) problems.push(`${file}:${problem}`);
}

for (const file of globSync('.github/workflows/*.yml', { cwd: root })) {
  const source = read(file);
  for (const problem of await workflowProblems(source, file)) problems.push(`${file}:${problem}`);
  for (const [, used = ''] of source.matchAll(/^\s*(?:- )?uses:\s*(\S.*)$/gm)) {
    // A tag can be moved to other code, and a path of the workspace be written to; neither holds for a commit of others,
    // or for this workflow's own.
    if (!/^\$\/[\w./-]+$/.test(used) && !/@[0-9a-f]{40} # v\d/.test(used)) {
      problems.push(`${file}: ${used} is not pinned to a commit, with its version as a comment`);
    }
  }
}

if (isAdopted(readHome())) {
  const patterns = [
    '*.{md,yml,json}',
    '{docs,templates}/**/*.{md,yml}',
    '.github/**/*.{md,yml}',
    '.github/CODEOWNERS',
  ];
  for (const file of globSync(patterns, { cwd: root })) {
    if (new RegExp(`\\b${placeholder}\\/|@${placeholder}\\b`).test(read(file)))
      problems.push(`${file}: still says ${placeholder}, and package.json names the owner`);
  }
}

for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
