import { createRequire } from 'node:module';
import type { ScalarTag } from 'yaml';
import { UserError } from '../../util/errors.ts';

const require = createRequire(import.meta.url);

/** A value of an inventory: mappings are Maps, whatever their keys are. */
export type Value = string | number | boolean | null | Date | Encrypted | readonly Value[] | Mapping;
export type Mapping = ReadonlyMap<unknown, Value>;

/** What Ansible Vault has encrypted. Nobody here has the password. */
export class Encrypted {}

const vaultTag = (tag: string): ScalarTag => ({ tag, resolve: () => new Encrypted() });
const header = /^\s*\$ANSIBLE_VAULT;/;

/** The tags that Ansible's own loader knows. */
const customTags: ScalarTag[] = [
  vaultTag('!vault'),
  vaultTag('!vault-encrypted'),
  { tag: '!unsafe', resolve: (text) => text },
];

/**
 * Reads YAML as Ansible does: version 1.1, where `yes` is true and of two equal keys the last counts.
 *
 * @param name of the file, for messages
 * @throws UserError where it is not YAML
 */
export function parseYaml(source: string, name: string): Value {
  if (header.test(source)) return new Encrypted();
  // Loaded where there is an inventory or a profile: most runs have neither.
  const { parseDocument } = require('yaml') as typeof import('yaml');
  const document = parseDocument(source, { version: '1.1', customTags, uniqueKeys: false });
  const [error] = document.errors;
  if (error) {
    throw new UserError(
      `${name} is not YAML: ${error.message.split('\n')[0]?.replace(/:$/, '')}`,
      'Correct that line.',
    );
  }
  try {
    return document.toJS({ mapAsMap: true }) as Value;
  } catch (cause) {
    throw new UserError(`${name} is not YAML: ${(cause as Error).message}`, 'Correct it.', { cause });
  }
}

export const isMapping = (value: Value | undefined): value is Mapping => value instanceof Map;

/** Whether a value is encrypted, also as the text of one that lost its tag. */
export const isEncrypted = (value: Value | undefined): boolean =>
  value instanceof Encrypted || (typeof value === 'string' && header.test(value));
