import { readFileSync } from 'node:fs';
import { messageOf, UserError } from '../../util/errors.ts';
import type { StandIn } from '../fields.ts';
import { type InputName, inputNamed } from '../table.ts';
import { isMapping, type Mapping, parseYaml, type Value } from './yaml.ts';

/** What one environment has for inputs that are not given. */
export interface Profile {
  readonly name: string;
  readonly inputs: ReadonlyMap<string, string>;
  /** How often it wants a backup, such as `12h`: for those who write schedules. */
  readonly every: string;
}

/**
 * Reads what the input `profiles` holds: the path of a file, or the YAML itself.
 *
 * @throws UserError where it is neither
 */
export function readProfiles(value: string): Value {
  if (/[\n:{]/.test(value)) return parseYaml(value, 'profiles');
  try {
    return parseYaml(readFileSync(value, 'utf8'), `profiles: ${value}`);
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw new UserError(
      `profiles: ${value} cannot be read: ${messageOf(cause)}`,
      'Give the path of a file in the working folder, or the YAML itself.',
      { cause },
    );
  }
}

/**
 * The profile of one environment.
 *
 * @param profiles a mapping of environments to inputs
 * @param problem is told what is wrong with it
 * @throws UserError where there is none of that name
 */
export function profileOf(profiles: Value, environment: string, problem: (line: string) => void): Profile {
  if (!isMapping(profiles)) {
    throw new UserError(
      'profiles: is no mapping',
      'Write one line "production:" with inputs indented below it.',
    );
  }
  const found = profiles.get(environment);
  if (!isMapping(found)) {
    throw new UserError(
      `environment: '${environment}' has no profile; there are ${[...profiles.keys()].join(', ') || 'none'}`,
      'Add one to profiles, or name another environment.',
    );
  }
  const inputs = inputsIn(found, (key) => `profiles: ${key} of ${environment}`, problem);
  return { name: environment, inputs, every: String(found.get('every') ?? '') };
}

/**
 * The inputs that a mapping has, each as a text.
 *
 * @param where names the place of a key, for messages
 * @param problem is told what is wrong
 */
export function inputsIn(
  mapping: Mapping,
  where: (key: string) => string,
  problem: (line: string) => void,
): Map<string, string> {
  const inputs = new Map<string, string>();
  for (const [key, value] of mapping) {
    const name = String(key).replaceAll('_', '-');
    const definition = inputNamed(name);
    const place = where(String(key));
    if (name === 'every') continue;
    if (definition === undefined) problem(`${place} is no input`);
    else if (definition.ofRun || name === 'environment' || name === 'profiles') {
      problem(`${place} belongs to one run: give the input itself`);
    } else if (definition.secret)
      problem(`${place} is a secret: give the input itself, from a secret of the CI`);
    else if (value === null) continue;
    else if (Array.isArray(value)) inputs.set(name, value.join(', '));
    else if (typeof value === 'object') problem(`${place} is neither a text, a number, nor a list of them`);
    else inputs.set(name, String(value));
  }
  return inputs;
}

/** @returns undefined where the profile does not say */
export function profileInput(profile: Profile, input: InputName): StandIn | undefined {
  const value = profile.inputs.get(input);
  return value ? { value, source: `${input} (of the profile ${profile.name})` } : undefined;
}
