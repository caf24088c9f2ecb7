// Writes what is told of inputs and outputs in other places than action.yml from there: the tables in README.md, the
// texts of `--help` and the GitLab components; and the transcripts that README.md quotes from test/golden. `--check`:
// fails where one is stale.
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { inputGroups, inputNamed } from '../src/inputs/table.ts';
import { componentNames, componentRows, componentTemplate } from './components.ts';

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

export async function readAction(): Promise<ActionFile> {
  return parse(await readFile(new URL('action.yml', root), 'utf8')) as ActionFile;
}

/** README.md with the tables that belong between its markers. @throws Error where a marker is missing */
export function withTables(readme: string, action: ActionFile): string {
  const groups = Object.entries(inputGroups).map(([group, title]) => {
    const inputs = Object.entries(action.inputs).filter(([name]) => inputNamed(name)?.group === group);
    return `### ${title}\n\n${table(['Input', 'Default', 'Meaning'], inputs.map(inputRow))}`;
  });
  const outputs = Object.entries(action.outputs).map(([name, { description }]) => [code(name), description]);
  const { own, shared } = componentRows(action);
  return Object.entries({
    inputs: groups.join('\n\n'),
    outputs: table(['Output', 'Meaning'], outputs),
    'component-inputs': table(['Input', 'Type', 'Default', 'Meaning'], own),
    'component-program-inputs': table(['Input', 'Type', ...componentNames], shared),
  }).reduce((text, [name, content]) => between(text, name, content), readme);
}

/** What README.md quotes of a transcript in test/golden: from what it begins with to the end of a line, or of all. */
const quotes = {
  'rollback-dry-run': { from: 'Connect to ', to: 'the last one first.\n' },
  rollback: { from: 'Create the database ', to: undefined },
  'rollback-taken-back': { from: 'Wait until Odoo is healthy\nwarning', to: 'set by health-check.\n' },
} as const;

/** README.md with what it quotes. @param read the text of a file in test/golden */
export function withTranscripts(readme: string, read: (file: string) => string): string {
  return Object.entries(quotes).reduce((text, [name, { from, to }]) => {
    const transcript = read(`${name}.txt`);
    const start = transcript.indexOf(`\n${from}`) < 0 ? 0 : transcript.indexOf(`\n${from}`) + 1;
    const end = to === undefined ? transcript.length : transcript.indexOf(to, start) + to.length;
    return between(text, name, `\`\`\`text\n${transcript.slice(start, end).trimEnd()}\n\`\`\``);
  }, readme);
}

function inputRow([name, { description }]: [string, Documented]): string[] {
  const value = inputNamed(name)?.default;
  return [code(name), value === undefined ? '' : code(value), description];
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, header.map(() => '---'), ...rows];
  return lines
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}

const code = (text: string): string => `\`${text}\``;

function between(readme: string, name: string, content: string): string {
  const [start, end] = [`<!-- ${name}:start -->`, `<!-- ${name}:end -->`];
  const [from, to] = [readme.indexOf(start), readme.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`README.md lacks ${start} … ${end}`);
  return `${readme.slice(0, from)}${start}\n\n${content}\n\n${readme.slice(to)}`;
}

/** The texts of `--help`: what action.yml says of each input. */
export function descriptionsOf(action: ActionFile): string {
  const described = Object.entries(action.inputs).map(([name, { description }]) => [name, description]);
  return `${JSON.stringify(Object.fromEntries(described), undefined, 2)}\n`;
}

/** Every file that is written here, whole or in part: its path, and what it has to be. */
async function files(): Promise<readonly (readonly [path: string, content: string])[]> {
  const action = await readAction();
  const golden = (file: string) => readFileSync(new URL(`test/golden/${file}`, root), 'utf8');
  const readme = await readFile(new URL('README.md', root), 'utf8');
  return [
    ['README.md', withTranscripts(withTables(readme, action), golden)],
    ['src/inputs/descriptions.json', descriptionsOf(action)],
    ...componentNames.map(
      (name) => [`templates/${name}/template.yml`, componentTemplate(name, action)] as const,
    ),
  ];
}

if (import.meta.main) {
  for (const [path, content] of await files()) {
    const file = new URL(path, root);
    if (!process.argv.includes('--check')) {
      await writeFile(file, content);
    } else if (content !== (await readFile(file, 'utf8').catch(() => ''))) {
      console.error(`${path} is stale: run \`npm run docs\`.`);
      process.exitCode = 1;
    }
  }
}
