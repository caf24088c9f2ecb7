// The house: which folder of the source imports which. `scripts/docs.ts` draws it in CONTRIBUTING.md,
// `scripts/check.ts` holds the source to it.
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The folders of the source, from the top down: each imports only what stands below it. */
export const floors = [
  ...[
    'commands',
    'inputs',
    'backup',
    'verify',
    'rehearsal',
    'restore',
    'fetch',
    'backup-reader',
    'catalog',
    's3',
  ],
  ...['archive', 'sealing', 'odoo', 'postgres', 'host', 'signing', 'platform', 'report', 'util'],
];

/** A file of the source, and a name that it imports: a package, or a path from the root of the project. */
export interface Import {
  readonly file: string;
  readonly name: string;
}

/** Every import of the source, types included. */
export function* imports(): Generator<Import> {
  for (const file of globSync('src/**/*.ts', { cwd: root })) {
    const text = readFileSync(join(root, file), 'utf8');
    for (const [, name = ''] of text.matchAll(/\b(?:from|import\(?|require\()\s*'([^']+)'/g)) {
      yield { file, name: name.startsWith('.') ? join(dirname(file), name) : name };
    }
  }
}

/** How far down the folder of a file stands, from 0; -1 for `src/main.ts`, undefined where it has no place. */
export function floorOf(file: string): number | undefined {
  const [, folder = '', ...rest] = file.split('/');
  if (rest.length === 0) return -1;
  const floor = floors.indexOf(folder);
  return floor < 0 ? undefined : floor;
}

/** Names of types that more than one file declares, with these files: a name means one thing in the whole house. */
export function doubleNames(): ReadonlyMap<string, readonly string[]> {
  const declared = globSync('src/**/*.ts', { cwd: root }).flatMap((file) =>
    [
      ...readFileSync(join(root, file), 'utf8').matchAll(
        /^(?:export )?(?:abstract )?(?:class|interface|type) (\w+)/gm,
      ),
    ].map(([, name = '']) => ({ name, file })),
  );
  const byName = Map.groupBy(declared, ({ name }) => name);
  const double = [...byName].map(([name, places]) => [name, places.map(({ file }) => file)] as const);
  return new Map(double.filter(([, files]) => new Set(files).size > 1));
}

/**
 * Circles of files that import one another, types included: none of them can be read, or moved, without all others. A
 * circle is the list of its files, from one that is imported by the last.
 */
export function circles(): readonly (readonly string[])[] {
  const imported = Map.groupBy(imports(), ({ file }) => file);
  const found: string[][] = [];
  const finished = new Set<string>();
  const way: string[] = [];
  const follow = (file: string): void => {
    const at = way.indexOf(file);
    if (at >= 0) found.push(way.slice(at));
    if (at >= 0 || finished.has(file)) return;
    way.push(file);
    for (const { name } of imported.get(file) ?? []) follow(name);
    way.pop();
    finished.add(file);
  };
  for (const file of imported.keys()) follow(file);
  return found;
}

/**
 * The house as a Mermaid graph. An arrow that others lead to as well is left out, and so is `util`, which all import.
 */
export function drawHouse(): string {
  const below = new Map<number, Set<number>>(floors.map((_, floor) => [floor, new Set()]));
  for (const { file, name } of imports()) {
    const [from, to] = [floorOf(file), name.startsWith('src/') ? floorOf(name) : undefined];
    if (from !== undefined && to !== undefined && from < to) below.get(from)?.add(to);
  }
  const reaches = (from: number, to: number): boolean =>
    [...(below.get(from) ?? [])].some((floor) => floor === to || reaches(floor, to));
  const arrows = floors.flatMap((name, from) =>
    [...(below.get(from) ?? [])]
      .filter((to) => floors[to] !== 'util')
      .filter((to) => ![...(below.get(from) ?? [])].some((other) => other !== to && reaches(other, to)))
      .toSorted((a, b) => a - b)
      .map((to) => `  ${name} --> ${floors[to]}`),
  );
  return ['graph TD', ...arrows].join('\n');
}
