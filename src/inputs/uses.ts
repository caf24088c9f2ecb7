import { parseInputs } from './parse.ts';
import { type choices, type InputDefinition, type InputName, inputNamed, inputTable } from './table.ts';

export type CommandName = (typeof choices.command)[number];

/** Inputs about what is written to S3: other commands read, or delete. */
const ofWriting: readonly InputName[] = ['storage-class', 'sse', 'kms-key-id', 'object-lock', 'lock-days'];
const ofCopies: readonly InputName[] = [
  'target-database',
  'replace',
  'neutralize',
  'new-uuid',
  'after-load',
  'skip-table-data',
];

/** Commands that refuse a key that reads. */
const withoutIdentity: readonly CommandName[] = ['backup', 'gate', 'list', 'prune'];

/** Commands that write the page of all databases anew. */
export const refreshing: readonly CommandName[] = ['backup', 'verify', 'mark', 'prune', 'list'];

/** Inputs without which others are not read. */
const opening: Readonly<Record<string, string>> = {
  prune: 'true',
  verify: 'boot', // which takes the most
  'restore-test': 'host', // for which a way to the host is needed
};

/** Inputs that are read, by commands that refuse them or have no use for them. */
function unfit(command: CommandName): readonly InputName[] {
  return [
    command === 'hosts' ? 'host' : 'limit',
    ...(command === 'backup' || command === 'verify' ? [] : ofWriting),
    ...(refreshing.includes(command) ? [] : (['catalog-page'] as const)),
    ...(command === 'rollback' ? ofCopies : []),
    ...(withoutIdentity.includes(command) ? (['decrypt-with'] as const) : []),
  ];
}

/** The inputs that a command has a use for, in the order of the table: those that its parser asks for. */
export function inputsOf(command: CommandName): readonly InputDefinition[] {
  const read = new Set<string>();
  try {
    parseInputs((name) => {
      read.add(name);
      return name === 'command' ? command : (opening[name] ?? '');
    }, {});
  } catch {
    // What lacks does not matter: every input was asked for.
  }
  if (command === 'hosts') read.add('profiles'); // asked for where there is an inventory
  return usedOf(command, read);
}

/** What was asked for, without what the command has no use for. */
function usedOf(command: CommandName, read: ReadonlySet<string>): readonly InputDefinition[] {
  const inputs: readonly InputDefinition[] = inputTable;
  const unused: readonly string[] = unfit(command);
  return inputs.filter(({ name }) => read.has(name) && !unused.includes(name));
}

/**
 * Warnings about inputs that are given and that this run has no use for.
 *
 * @param given names of the inputs that were given to this run itself
 * @param read names of those that its parser has asked for
 * @param typed whether a person has typed them: a workflow hands on what another run of it needs, such as secrets
 */
export function unusedWarnings(
  command: CommandName,
  given: readonly string[],
  read: ReadonlySet<string>,
  typed: boolean,
): string[] {
  const used = new Set<string>(usedOf(command, read).map(({ name }) => name));
  const ofCommand = new Set<string>(inputsOf(command).map(({ name }) => name));
  return given.flatMap((name) => {
    if (used.has(name)) return [];
    if (!ofCommand.has(name)) return [`${name}: ${command} has no use for it`];
    if (inputNamed(name)?.group === 'retention') return [`${name}: has no effect here without prune: true`];
    return typed ? [`${name}: has no effect here`] : [];
  });
}
