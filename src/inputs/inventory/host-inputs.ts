import { homedir } from 'node:os';
import { basename } from 'node:path';
import { Refusal, type StandIn } from '../fields.ts';
import { type InputDefinition, type InputName, inputNamed, inputTable } from '../table.ts';
import { resolve } from './expressions.ts';
import { jumpOf } from './ssh-arguments.ts';
import type { HostVariables, Variable } from './variables.ts';
import { isEncrypted, type Value } from './yaml.ts';

/** The variables that Ansible and its users have for an input; the first one set counts. */
const variableNames: Partial<Record<InputName, readonly string[]>> = {
  'ssh-host': ['ansible_host', 'ansible_ssh_host'],
  'ssh-port': ['ansible_port', 'ansible_ssh_port'],
  'ssh-user': ['ansible_user', 'ansible_ssh_user', 'deploy_user'],
  'ssh-key': ['ansible_ssh_private_key_file', 'ansible_private_key_file'],
  'ssh-jump': ['ansible_ssh_args', 'ansible_ssh_common_args', 'ansible_ssh_extra_args'],
  database: ['dbname'],
  'odoo-conf': ['odoo_conf'],
  services: ['odoo_service'],
};

/** `odoo_backup_keep_last` for `keep-last`: every input has such a variable, and it counts more than the others. */
const ownPrefix = 'odoo_backup_';
const ownName = (input: string): string => `${ownPrefix}${input.replaceAll('-', '_')}`;

/** The inputs that an inventory gives for one host. */
export class HostInputs {
  readonly #host: HostVariables;

  constructor(host: HostVariables) {
    this.#host = host;
  }

  /** @returns undefined where the inventory does not say */
  find(input: InputName): StandIn | undefined {
    if (inputNamed(input)?.ofRun) return undefined;
    const names = [ownName(input), ...(variableNames[input] ?? [])];
    for (const name of names) {
      const variable = this.#host.variables.get(name);
      if (variable === undefined) continue;
      const value = this.#value(input, name, variable);
      if (value === '') continue;
      return { value, source: `${input} (${name} of ${variable.origin})` };
    }
    // Ansible connects to a host by its name, unless told otherwise.
    if (input !== 'ssh-host') return undefined;
    return { value: this.#host.host, source: 'ssh-host (the name of the host in the inventory)' };
  }

  /** A variable as it is, such as the profiles. */
  raw(input: InputName): Value | undefined {
    return this.#host.variables.get(ownName(input))?.value;
  }

  /** Variables that look like inputs and cannot be set here, one line each. */
  problems(): string[] {
    return [...this.#host.variables].flatMap(([name, { origin }]) => {
      if (!name.startsWith(ownPrefix)) return [];
      const input: InputDefinition | undefined = inputTable.find((each) => ownName(each.name) === name);
      if (input === undefined)
        return [`${name} of ${origin}: is no input; after ${ownPrefix} goes the name of one`];
      return input.ofRun ? [`${name} of ${origin}: belongs to one run: give the input itself`] : [];
    });
  }

  #value(input: InputName, name: string, variable: Variable): string | Refusal {
    const definition = inputNamed(input);
    try {
      const isPath = input === 'ssh-key' && !/\s/.test(String(variable.value));
      if (definition?.secret && !isPath && !isEncrypted(variable.value)) {
        throw new Refusal('is a secret, which does not belong into an inventory');
      }
      const text = resolve(variable.value, (other) => this.#lookup(other)).trim();
      if (name.endsWith('_args')) return jumpOf(text);
      return isPath ? text.replace(/^~(?=\/)/, homedir()) : text;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const from = definition?.secret ? ', from a secret of the CI' : '';
      const files = this.#host.encryptedFiles.map((path) => basename(path)).join(', ');
      const unread =
        files && / does not have$/.test(error.message) ? ` (${files} is encrypted, and not read)` : '';
      return new Refusal(
        `${error.message}${unread}; the input ${input} itself, given${from}, counts instead`,
      );
    }
  }

  #lookup(name: string): Value | undefined {
    if (name === 'inventory_hostname') return this.#host.host;
    if (name === 'inventory_hostname_short') return this.#host.host.split('.')[0];
    return this.#host.variables.get(name)?.value;
  }
}
