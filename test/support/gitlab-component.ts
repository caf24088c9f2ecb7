import { readFileSync } from 'node:fs';
import { parse, parseAllDocuments } from 'yaml';

export type InputValue = string | number | boolean | readonly unknown[];

/** An input of `spec:inputs`: https://docs.gitlab.com/ci/inputs/ */
export interface ComponentInput {
  readonly description?: string;
  readonly type?: string;
  readonly default?: InputValue;
  readonly options?: readonly InputValue[];
  readonly regex?: string;
}

export interface Component {
  readonly spec: {
    readonly component?: readonly string[];
    readonly inputs: Readonly<Record<string, ComponentInput>>;
  };
  /** The jobs, with the inputs still to be put in. */
  readonly text: string;
}

export function readComponent(name: string): Component {
  const file = new URL(`../../templates/${name}/template.yml`, import.meta.url);
  const [head = '', text = ''] = readFileSync(file, 'utf8').split(/^---$/m);
  return { ...(parse(head) as Pick<Component, 'spec'>), text };
}

/** What GitLab says of a value that an input cannot have; undefined where it takes it. */
export function refusal(
  value: InputValue,
  { type = 'string', options, regex }: ComponentInput,
): string | undefined {
  const found = Array.isArray(value) ? 'array' : typeof value;
  if (found !== type) return `is a ${found}, not a ${type}`;
  if (options && !options.includes(value)) return 'is not among the options';
  if (regex !== undefined && !new RegExp(regex).test(String(value))) return `does not match ${regex}`;
  return undefined;
}

/**
 * The jobs of a component, as GitLab makes them: inputs are put into the text, and that is read as YAML then.
 *
 * @throws Error where an input is unknown, or a value one that it cannot have
 */
export function jobsOf({ spec, text }: Component, given: Readonly<Record<string, InputValue>>): Jobs {
  for (const [name, value] of Object.entries(given)) {
    const input = spec.inputs[name];
    const why = input === undefined ? 'is unknown' : refusal(value, input);
    if (why) throw new Error(`${name} ${why}`);
  }
  const filled = text.replaceAll(/\$\[\[ (inputs|component)\.([\w-]+) \]\]/g, (_, context, name) => {
    if (context === 'component' && spec.component?.includes(name)) return `the-${name}`;
    const value = given[name] ?? spec.inputs[name]?.default;
    if (context !== 'inputs' || value === undefined) throw new Error(`${context}.${name} is unknown`);
    return Array.isArray(value) ? JSON.stringify(value) : String(value);
  });
  const [document] = parseAllDocuments(filled);
  return document?.toJS() as Jobs;
}

export type Jobs = Readonly<Record<string, Job>>;

export interface Job {
  readonly variables: Readonly<
    Record<string, string | { readonly value: string; readonly expand?: boolean }>
  >;
  readonly script: readonly string[];
  readonly [key: string]: unknown;
}
