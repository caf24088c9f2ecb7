import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isEncrypted, isMapping, type Mapping, parseYaml } from './yaml.ts';

/** What a file beside the inventory says of one group or host. `encrypted`: its content is not known. */
export interface VariableFile {
  readonly path: string;
  readonly vars: Mapping | 'encrypted';
}

const extensions = ['', '.yml', '.yaml', '.json'];

/**
 * `group_vars/NAME` or `host_vars/NAME` beside the inventory: a file, or a folder of files, which count in the order of
 * their names.
 *
 * @throws UserError where one is not YAML
 */
export function variableFiles(
  inventory: string,
  kind: 'group_vars' | 'host_vars',
  name: string,
): VariableFile[] {
  if (name.includes('/')) return [];
  const base = join(dirname(inventory), kind, name);
  return extensions.flatMap((extension) => filesIn(base + extension, extension === '')).map(readVariables);
}

function filesIn(path: string, mayBeFolder: boolean): string[] {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile()) return [path];
  if (!found?.isDirectory() || !mayBeFolder) return [];
  return readdirSync(path)
    .sort()
    .filter((name) => !name.startsWith('.') && !name.endsWith('~'))
    .flatMap((name) => filesIn(join(path, name), true))
    .filter((file) => /(^|\/)[^./]+$|\.(ya?ml|json)$/.test(file));
}

function readVariables(path: string): VariableFile {
  const content = parseYaml(readFileSync(path, 'utf8'), path);
  if (isEncrypted(content)) return { path, vars: 'encrypted' };
  return { path, vars: isMapping(content) ? content : new Map() };
}
