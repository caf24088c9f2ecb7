import { type Group, groupsOf, type Inventory } from './groups.ts';
import { variableFiles } from './variable-files.ts';
import type { Mapping, Value } from './yaml.ts';

/** The value that counts for one host, and where it stands. */
export interface Variable {
  readonly value: Value;
  /** `group shops in hosts.yml` */
  readonly origin: string;
}

export interface HostVariables {
  readonly host: string;
  readonly groups: readonly string[];
  readonly variables: ReadonlyMap<string, Variable>;
  /** Files that Ansible Vault has encrypted as a whole: what they say does not count. */
  readonly encryptedFiles: readonly string[];
}

/**
 * The variables of one host, as Ansible merges them: a group below another counts more; of equals the one with the
 * higher `ansible_group_priority`, then the later name; `group_vars/` counts more than the inventory's own groups; and
 * the host's own variables more than all of them. A mapping replaces another as a whole.
 *
 * https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_variables.html#understanding-variable-precedence
 *
 * @throws UserError where a group is below itself, or a file is not YAML
 */
export function variablesOf(inventory: Inventory, host: string): HostVariables {
  const variables = new Map<string, Variable>();
  const encryptedFiles: string[] = [];
  const add = (vars: Mapping, origin: string) => {
    for (const [name, value] of vars) variables.set(String(name), { value, origin });
  };
  const addFiles = (kind: 'group_vars' | 'host_vars', name: string) => {
    for (const { path, vars } of variableFiles(inventory.path, kind, name)) {
      if (vars === 'encrypted') encryptedFiles.push(path);
      else add(vars, path);
    }
  };
  // Says where a group stands, and is no variable of its hosts.
  const varsOf = ({ vars }: Group) =>
    new Map([...vars].filter(([name]) => name !== 'ansible_group_priority'));
  const groups = groupsOf(inventory, host);
  for (const group of groups) add(varsOf(group), `the group ${group.name} in ${inventory.path}`);
  for (const { name } of groups) addFiles('group_vars', name);
  add(inventory.hosts.get(host) ?? new Map(), `the host ${host} in ${inventory.path}`);
  addFiles('host_vars', host);
  return { host, groups: groups.map(({ name }) => name), variables, encryptedFiles };
}
