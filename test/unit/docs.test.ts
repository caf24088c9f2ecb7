import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { readAction, withTables } from '../../scripts/docs.ts';
import { help } from '../../src/inputs/help.ts';
import { type InputDefinition, inputTable, variableOf } from '../../src/inputs/table.ts';
import { version } from '../../src/version.ts';

const action = await readAction();
const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
const table: readonly InputDefinition[] = inputTable;

// The runner hands a default over like a given input, which would then count more than an inventory.
test('action.yml has the inputs of the program: names, order, and the defaults that nothing may replace', () => {
  const documented = Object.entries(action.inputs).map(([name, input]) => ({
    name,
    default: input.default,
  }));
  const programmed = table.map(({ name, default: value, ofRun }) => ({
    name,
    default: ofRun ? value : undefined,
  }));
  assert.deepEqual(documented, programmed);
});

test('every value that an input can take, and every variable that stands in, is in its description', () => {
  for (const { name, choices = [], environment = [] } of table) {
    const description = action.inputs[name]?.description ?? '';
    for (const word of [...choices, ...environment])
      assert.ok(description.includes(`\`${word}\``), `${name}: ${word}`);
  }
});

test('README.md has the tables of action.yml', () => {
  assert.equal(withTables(readme, action), readme);
});

test('a table cell keeps a | of its text', () => {
  const changed = { ...action, outputs: { key: { description: 'a|b' } } };
  assert.match(withTables(readme, changed), /\| `key` \| a\\\|b \|/);
});

test('README.md without a marker is an error', () => {
  assert.throws(() => withTables(readme.replace('<!-- inputs:end -->', ''), action), /README.md lacks/);
});

test('--help has every input, with its default and what action.yml says of it', () => {
  const text = help();
  const variables = ['ssh-key-passphrase', 'db-password', 'ping-url'];
  const words = (each: string) => each.replaceAll('`', '').replaceAll(/\s+/g, ' ').trim();
  for (const { name, default: value } of table.filter((input) => input.name !== 'command')) {
    const flag = variables.includes(name) ? variableOf(name) : `--${name}`;
    const fallback = value === undefined ? '' : ` (default: ${value})`;
    const start = text.indexOf(`\n  ${flag}${fallback}\n`);
    assert.ok(start >= 0, flag);
    const [, description = ''] = text.slice(start + 1).split(/\n( {6}.*?)\n(?! {6})/s);
    assert.equal(words(description), words(action.inputs[name]?.description ?? ''), name);
  }
  assert.deepEqual(
    text.split('\n').filter((line) => line.length > 110),
    [],
  );
});

test('the version is that of package.json', async () => {
  const file = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  assert.equal(JSON.parse(file).version, version);
});
