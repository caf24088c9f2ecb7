import { Refusal } from '../fields.ts';
import { isEncrypted, type Value } from './yaml.ts';

const MOST_NESTED = 20;

/**
 * The text of a value, with `{{ name }}` put in where it is no more than the name of another variable. Filters,
 * lookups, conditions and whatever else Jinja can do is left to Ansible.
 *
 * @throws Refusal for what cannot be resolved, or has been encrypted
 */
export function resolve(value: Value, lookup: (name: string) => Value | undefined, depth = 0): string {
  const text = textOf(value, lookup, depth);
  if (/\{[%#]/.test(text)) throw refusal(text);
  return text.replaceAll(/\{\{(.*?)\}\}/gs, (expression: string, inside: string) => {
    const name = /^\s*([a-zA-Z_]\w*)\s*$/.exec(inside)?.[1];
    if (name === undefined) throw refusal(expression);
    const found = lookup(name);
    if (found === undefined)
      throw new Refusal(`'${expression}' names a variable that the inventory does not have`);
    if (depth >= MOST_NESTED) throw new Refusal(`'${expression}' refers to itself`);
    return resolve(found, lookup, depth + 1);
  });
}

const refusal = (expression: string): Refusal =>
  new Refusal(`'${expression}' is for Ansible to resolve: here only {{ name }} of another variable is`);

function textOf(value: Value, lookup: (name: string) => Value | undefined, depth: number): string {
  if (isEncrypted(value))
    throw new Refusal('is encrypted with Ansible Vault, which this program cannot decrypt');
  if (value === null) return '';
  if (Array.isArray(value)) return value.map((each) => resolve(each, lookup, depth)).join(', ');
  if (typeof value === 'object') throw new Refusal('is neither a text, a number, nor a list of them');
  return String(value);
}
