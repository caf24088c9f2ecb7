import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseInputs } from '../../../src/inputs/parse.ts';
import { choices, inputTable } from '../../../src/inputs/table.ts';
import { inputsOf, unusedWarnings } from '../../../src/inputs/uses.ts';
import { fewestInputs, fewestVariables, type RawInputs, reader } from '../../support/inputs.ts';

/** The warnings of a run that is given these inputs itself. */
function warnings(inputs: RawInputs, typed = true): string[] {
  const asked = new Set<string>();
  const read = reader({ ...fewestInputs, database: 'shop', ...inputs });
  const { command } = parseInputs((name) => {
    asked.add(name);
    return read(name);
  }, fewestVariables);
  return unusedWarnings(command, Object.keys(inputs), asked, typed);
}

describe('inputs that a run has no use for', () => {
  for (const [inputs, expected] of [
    [{ command: 'gate', 'max-age': '6h' }, []],
    [{ command: 'gate', format: 'dual' }, ['format: gate has no use for it']],
    [{ command: 'list', 'storage-class': 'STANDARD_IA' }, ['storage-class: list has no use for it']],
    [{ command: 'backup', 'keep-last': '3' }, ['keep-last: has no effect here without prune: true']],
    [{ command: 'backup', 'keep-last': '3', prune: 'true' }, []],
    [{ command: 'backup', 'restore-test': 'host' }, ['restore-test: has no effect here']],
  ] as const) {
    test(JSON.stringify(inputs), () => assert.deepEqual(warnings(inputs), expected));
  }
});

test('a workflow may hand on what this run does not need, but not what its command never does', () => {
  const inputs = { command: 'backup', 'restore-test': 'host', 'max-age': '6h', 'keep-last': '3' } as const;
  assert.deepEqual(warnings(inputs, false), [
    'max-age: backup has no use for it',
    'keep-last: has no effect here without prune: true',
  ]);
});

test('every input is of use to a command', () => {
  const used = new Set(choices.command.flatMap((command) => inputsOf(command).map(({ name }) => name)));
  assert.deepEqual(
    inputTable.map(({ name }) => name).filter((name) => !used.has(name)),
    [],
  );
});
