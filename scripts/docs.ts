// Writes what is told of inputs and outputs in other places than action.yml from there: the tables in docs/, the texts
// of `--help` and the GitLab components; and what documents quote: transcripts of test/golden, and workflows to copy; and the page of benchmarks.
// `--check`: fails where one is stale.
import { globSync, readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { inputGroups, inputNamed } from '../src/inputs/table.ts';
import { benchmarkFiles } from './bench/page.ts';
import { readRecorded } from './bench/record.ts';
import { componentNames, componentRows, componentTemplate } from './components.ts';
import { drawHouse } from './house.ts';
import { manPage } from './man.ts';
import { atHome, type Home, isAdopted, readHome } from './repository.ts';

export interface Documented {
  readonly description: string;
  readonly default?: string;
}

/** action.yml, as far as it is documentation. */
export interface ActionFile {
  readonly inputs: Readonly<Record<string, Documented>>;
  readonly outputs: Readonly<Record<string, Documented>>;
  readonly runs: { readonly using: string; readonly main: string };
}

const root = new URL('../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

export async function readAction(): Promise<ActionFile> {
  return parse(await readFile(new URL('action.yml', root), 'utf8')) as ActionFile;
}

/** What this writes into documents, by the names of its markers: Markdown. */
export type Parts = Readonly<Record<string, string>>;

/** The tables of inputs and outputs. */
export function tables(action: ActionFile): Parts {
  const groups = Object.entries(inputGroups).map(([group, title]) => {
    const inputs = Object.entries(action.inputs).filter(([name]) => inputNamed(name)?.group === group);
    return `### ${title}\n\n${table(['Input', 'Default', 'Meaning'], inputs.map(inputRow))}`;
  });
  const outputs = Object.entries(action.outputs).map(([name, { description }]) => [code(name), description]);
  const { own, shared } = componentRows(action);
  return {
    inputs: groups.join('\n\n'),
    outputs: table(['Output', 'Meaning'], outputs),
    'component-inputs': table(['Input', 'Type', 'Default', 'Meaning'], own),
    'component-program-inputs': table(['Input', 'Type', ...componentNames], shared),
  };
}

/** What is quoted of a transcript in test/golden: from what it begins with to the end of a line, or of all. */
const quotes = {
  'rollback-dry-run': { from: 'Connect to ', to: 'the last one first.\n' },
  rollback: { from: 'Create the database ', to: undefined },
  'rollback-taken-back': { from: 'Wait until Odoo is healthy\nwarning', to: 'set by health-check.\n' },
} as const;

function transcripts(): Parts {
  const quoted = Object.entries(quotes).map(([name, { from, to }]) => {
    const transcript = read(`test/golden/${name}.txt`);
    const start = transcript.indexOf(`\n${from}`) < 0 ? 0 : transcript.indexOf(`\n${from}`) + 1;
    const end = to === undefined ? transcript.length : transcript.indexOf(to, start) + to.length;
    return [name, fenced('text', transcript.slice(start, end))];
  });
  return Object.fromEntries(quoted);
}

/** The workflows and pipelines that are shown whole. */
function shownWorkflows(home: Home): Parts {
  const paths = [
    ...['backup-before-deploy', 'rollback', 'fleet-backup'].map((name) => `templates/github/${name}.yml`),
    'templates/gitlab/deploy.gitlab-ci.yml',
  ];
  return Object.fromEntries(paths.map((path) => [path, fenced('yaml', atHome(read(path), home))]));
}

/** What a rollback is given to switch the code. */
const codeCommands = (): Parts =>
  Object.fromEntries(
    ['git-checkouts', 'compose-images'].map((name) => {
      const path = `templates/code/${name}.sh`;
      return [path, fenced('sh', read(path))];
    }),
  );

/** All of them. */
export const partsOf = (action: ActionFile, home: Home = readHome()): Parts => ({
  ...tables(action),
  ...transcripts(),
  ...shownWorkflows(home),
  ...codeCommands(),
  house: fenced('mermaid', drawHouse()),
});

/** What people read: README.md and its like, and docs/, by their paths from here. */
export function readDocuments(): ReadonlyMap<string, string> {
  const paths = globSync(['*.md', 'docs/*.md'], { cwd: fileURLToPath(root) }).toSorted();
  return new Map(paths.map((path) => [path, read(path)]));
}

/**
 * The documents with every part at its place, which is between its markers, wherever those are.
 *
 * @throws Error for a part that has no place, or two, and for a marker without its other half or of no part
 */
export function withParts(documents: ReadonlyMap<string, string>, parts: Parts): ReadonlyMap<string, string> {
  const placed: string[] = [];
  const written = [...documents].map(([path, text]): [string, string] => {
    const filled = text.replaceAll(place, (_, name: string) => {
      const part = parts[name];
      if (part === undefined) throw new Error(`${path}: there is no part ${name}`);
      placed.push(name);
      return `<!-- ${name}:start -->\n\n${part}\n\n<!-- ${name}:end -->`;
    });
    const [stray] = text.replaceAll(place, '').match(/^<!-- \S+:(start|end) -->$/m) ?? [];
    if (stray) throw new Error(`${path}: ${stray} lacks its other half`);
    return [path, filled];
  });
  for (const name of Object.keys(parts)) {
    const places = placed.filter((each) => each === name).length;
    if (places !== 1) throw new Error(`${places} documents have ${name} between markers, and one should`);
  }
  return new Map(written);
}

const place = /^<!-- (\S+):start -->$.*?^<!-- \1:end -->$/gms;

function inputRow([name, { description }]: [string, Documented]): string[] {
  const value = inputNamed(name)?.default;
  return [code(name), value === undefined ? '' : code(value), withoutDefault(name, description)];
}

/** The description of an input without its last sentence, which names the default, where that is shown beside it. */
function withoutDefault(name: string, description: string): string {
  const value = inputNamed(name)?.default;
  return value === undefined ? description : description.replace(` ${defaultSentence(value)}`, '');
}

/** How action.yml tells a default, at the end of a description. */
export const defaultSentence = (value: string): string => `Default: \`${value}\`.`;

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, header.map(() => '---'), ...rows];
  return lines
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}

const code = (text: string): string => `\`${text}\``;

const fenced = (language: string, text: string): string => `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;

/** The texts of `--help`: what action.yml says of each input. */
export function descriptionsOf(action: ActionFile): string {
  const described = Object.entries(action.inputs).map(([name, { description }]) => [
    name,
    withoutDefault(name, description),
  ]);
  return `${JSON.stringify(Object.fromEntries(described), undefined, 2)}\n`;
}

/** The messages of docs/troubleshooting.md, `…` for a name, each with the heading that it stands under. */
export function troubleshootingOf(text: string, home: Home): string {
  let anchor = '';
  const messages: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const [, heading] = /^## (.*)$/.exec(line) ?? [];
    if (heading !== undefined) anchor = anchorOf(heading);
    const [, message = ''] = /^\| `(.+?)` \|/.exec(line) ?? [];
    // Few letters would be found in many a message; and an error that nobody foresaw says so by itself.
    if (message.replaceAll('…', '').trim().length < 8 || message.startsWith('Unexpected error')) continue;
    messages[message] = anchor;
  }
  const path = 'docs/troubleshooting.md';
  const page = isAdopted(home) ? `https://github.com/${home.repository}/blob/v${home.version}/${path}` : path;
  return `${JSON.stringify({ page, messages }, undefined, 2)}\n`;
}

/** The types of inputs and outputs, for tools that write workflows: https://github.com/typesafegithub/github-actions-typing */
export function actionTypes(action: ActionFile): string {
  const inputs = Object.keys(action.inputs).map((name) => {
    const { boolean, choices } = inputNamed(name) ?? {};
    if (boolean) return [name, { type: 'boolean' }];
    return [name, choices ? { type: 'enum', 'allowed-values': [...choices] } : { type: 'string' }];
  });
  const outputs = Object.keys(action.outputs).map((name) => [name, { type: 'string' }]);
  const types = { inputs: Object.fromEntries(inputs), outputs: Object.fromEntries(outputs) };
  return `# Written by \`npm run docs\`.\n${stringify(types)}`;
}

/** A heading's anchor as GitHub and GitLab make it. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

/**
 * The action as the workflows of this repository name it that others call: by `$/`, which is the commit of the workflow
 * itself, whoever calls it. There has to be a path behind it, so that the root of the repository cannot be meant.
 * https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsuses
 */
function actionOfWorkflows(): string {
  const whole = read('action.yml').replace(/^ {2}main: (.*)$/m, '  main: ../../../$1');
  return `# Written from action.yml by \`npm run docs\`: change it there.\n${whole}`;
}

/** What names the home of the project beside the documents: workflows and pipelines to copy, and forms. */
function readHomed(): readonly (readonly [path: string, content: string])[] {
  const patterns = ['templates/{github,gitlab}/*.yml', '.github/ISSUE_TEMPLATE/*.yml'];
  const paths = globSync(patterns, { cwd: fileURLToPath(root) }).toSorted();
  return paths.map((path) => [path, read(path)]);
}

/** Every file that is written here, whole or in part: its path, and what it has to be. */
async function files(): Promise<readonly (readonly [path: string, content: string])[]> {
  const action = await readAction();
  const home = readHome();
  const documents = new Map(readDocuments());
  documents.delete('docs/benchmarks.md'); // which is written whole
  const homed = [...withParts(documents, partsOf(action, home)), ...readHomed()];
  return [
    ...homed.map(([path, content]) => [path, atHome(content, home)] as const),
    ...benchmarkFiles(readRecorded()),
    ['src/inputs/descriptions.json', descriptionsOf(action)],
    ['src/platform/troubleshooting.json', troubleshootingOf(read('docs/troubleshooting.md'), home)],
    ['man/odoo-backup.1', manPage(action)],
    ['action-types.yml', actionTypes(action)],
    ['.github/actions/odoo-backup/action.yml', actionOfWorkflows()],
    ...componentNames.map(
      (name) => [`templates/${name}/template.yml`, componentTemplate(name, action)] as const,
    ),
  ];
}

export async function writeDocuments(): Promise<void> {
  for (const [path, content] of await files()) {
    const file = new URL(path, root);
    await mkdir(new URL('.', file), { recursive: true });
    await writeFile(file, content);
  }
}

async function check(): Promise<void> {
  for (const [path, content] of await files()) {
    if (content === (await readFile(new URL(path, root), 'utf8').catch(() => ''))) continue;
    console.error(`${path} is stale: run \`npm run docs\`.`);
    process.exitCode = 1;
  }
}

if (import.meta.main) await (process.argv.includes('--check') ? check() : writeDocuments());
