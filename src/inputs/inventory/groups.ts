import { UserError } from '../../util/errors.ts';
import { expandHostName } from './host-names.ts';
import { isMapping, type Mapping, type Value } from './yaml.ts';

/** Variables by their names. */
export type Variables = ReadonlyMap<string, Value>;

export interface Group {
  readonly name: string;
  readonly vars: Map<string, Value>;
  /** Names of the hosts and groups that it names itself. */
  readonly hosts: Set<string>;
  readonly children: Set<string>;
}

/** What an inventory file says, before anything is merged. */
export interface Inventory {
  /** Where it is, and what messages call it. */
  readonly path: string;
  readonly groups: ReadonlyMap<string, Group>;
  /** Hosts in the order of the file, with the variables given with them. */
  readonly hosts: ReadonlyMap<string, Map<string, Value>>;
}

/**
 * Reads the groups of an inventory in YAML. Every host belongs to `all`, whether the file says so or not.
 *
 * https://docs.ansible.com/ansible/latest/collections/ansible/builtin/yaml_inventory.html
 *
 * @throws UserError where its form is another
 */
export function parseGroups(content: Mapping, path: string): Inventory {
  const groups = new Map<string, Group>();
  const hosts = new Map<string, Map<string, Value>>();
  const groupNamed = (name: string): Group => {
    const group = groups.get(name) ?? { name, vars: new Map(), hosts: new Set(), children: new Set() };
    groups.set(name, group);
    return group;
  };

  const addHosts = (group: Group, entries: Mapping) => {
    for (const [pattern, value] of entries) {
      const { names, port } = expandHostName(String(pattern));
      const vars = mappingOf(value, `the host ${pattern}`, path);
      for (const name of names) {
        const own = hosts.get(name) ?? new Map<string, Value>();
        hosts.set(name, own);
        group.hosts.add(name);
        if (port !== undefined) own.set('ansible_port', port);
        for (const [key, each] of vars) own.set(String(key), each);
      }
    }
  };
  const addGroup = (name: string, value: Value) => {
    const group = groupNamed(name);
    const sections = mappingOf(value, `the group ${name}`, path);
    const section = (key: string) =>
      mappingOf(sections.get(key) ?? null, `${key} of the group ${name}`, path);
    for (const [key, each] of section('vars')) group.vars.set(String(key), each);
    addHosts(group, section('hosts'));
    for (const [child, each] of section('children')) {
      group.children.add(String(child));
      addGroup(String(child), each);
    }
  };

  const all = groupNamed('all');
  for (const [name, value] of content) addGroup(String(name), value);
  const named = new Set([...groups.values()].flatMap(({ children }) => [...children]));
  for (const name of groups.keys()) if (name !== 'all' && !named.has(name)) all.children.add(name);
  return { path, groups, hosts };
}

/** A section may be empty, and a single name stands for a mapping to nothing. */
function mappingOf(value: Value, what: string, path: string): Mapping {
  if (value === null) return new Map();
  if (isMapping(value)) return value;
  if (typeof value === 'string') return new Map([[value, null]]);
  throw new UserError(
    `${path}: ${what} is no mapping`,
    'hosts, vars and children hold "name:" lines, not lists: `ansible-inventory --list --yaml` shows the form.',
  );
}

/** The groups that a host is in, by itself and through others, in the order in which their variables count. */
export function groupsOf(inventory: Inventory, host: string): Group[] {
  const depths = depthsOf(inventory);
  const inside = new Set(['all']);
  // From the deepest on: a group is reached after all of its children.
  const deepestFirst = [...inventory.groups.values()].sort((a, b) => depths(b) - depths(a));
  for (const group of deepestFirst) {
    if (group.hosts.has(host) || [...group.children].some((child) => inside.has(child) && child !== 'all')) {
      inside.add(group.name);
    }
  }
  const priority = ({ vars }: Group) => Number(vars.get('ansible_group_priority') ?? 1);
  return deepestFirst
    .filter(({ name }) => inside.has(name))
    .sort((a, b) => depths(a) - depths(b) || priority(a) - priority(b) || (a.name < b.name ? -1 : 1));
}

/** How far each group is below `all`, on the longest way. @throws UserError when a group is below itself */
function depthsOf({ groups, path }: Inventory): (group: Group) => number {
  const depths = new Map<string, number>();
  const visit = (name: string, depth: number, above: readonly string[]) => {
    if (above.includes(name)) {
      throw new UserError(`${path}: the group ${name} is a child of itself`, 'Take it out of children.');
    }
    if (depth <= (depths.get(name) ?? -1)) return;
    depths.set(name, depth);
    for (const child of groups.get(name)?.children ?? []) visit(child, depth + 1, [...above, name]);
  };
  visit('all', 0, []);
  return ({ name }) => depths.get(name) ?? 1;
}
