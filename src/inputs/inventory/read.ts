import { readFileSync } from 'node:fs';
import { messageOf, UserError } from '../../util/errors.ts';
import { type Inventory, parseGroups } from './groups.ts';
import { isEncrypted, isMapping, parseYaml, type Value } from './yaml.ts';

const convert = (path: string) =>
  `Write it in YAML: ansible-inventory -i ${path} --list --yaml --output hosts.yml`;

/**
 * Reads an Ansible inventory in YAML.
 *
 * @throws UserError where it cannot be read, or has another form: the hint says how to convert it
 */
export function readInventory(path: string): Inventory {
  let source: string;
  try {
    source = readFileSync(path, 'utf8');
  } catch (cause) {
    const what = (cause as NodeJS.ErrnoException).code === 'EISDIR' ? 'is a folder' : messageOf(cause);
    throw new UserError(
      `inventory: ${path} cannot be read: ${what}`,
      what === 'is a folder'
        ? convert(path)
        : 'The path is one of the runner, from its working folder: check out the repository first.',
      { cause },
    );
  }
  if (source.startsWith('#!')) {
    throw new UserError(`inventory: ${path} is a program that prints an inventory`, convert(path));
  }
  const content = parse(source, path);
  if (isEncrypted(content)) {
    throw new UserError(
      `inventory: ${path} is encrypted with Ansible Vault as a whole, which this program cannot decrypt`,
      'Leave the names of hosts and databases unencrypted, or give the inputs themselves.',
    );
  }
  if (!isMapping(content)) {
    throw new UserError(`inventory: ${path} is no inventory in YAML: it holds no groups`, convert(path));
  }
  for (const key of ['plugin', '_meta']) {
    if (content.has(key)) {
      throw new UserError(`inventory: ${path} is of an inventory plugin or program (${key})`, convert(path));
    }
  }
  return parseGroups(content, path);
}

function parse(source: string, path: string): Value {
  // The first section of an INI file; in YAML it would be a list.
  if (/^\[[\w.:-]+\]\s*(#.*)?$/m.test(source) && !/^(all|[\w.-]+):\s*(#.*)?$/m.test(source)) {
    throw new UserError(`inventory: ${path} is in INI form`, convert(path));
  }
  return parseYaml(source, `inventory: ${path}`);
}
