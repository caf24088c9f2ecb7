import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import {
  defaultSentence,
  partsOf,
  readAction,
  readDocuments,
  tables,
  withParts,
} from '../../../scripts/docs.ts';
import { manPage } from '../../../scripts/man.ts';
import { type InputDefinition, inputTable } from '../../../src/inputs/table.ts';
import { variableOf } from '../../../src/platform/variables.ts';
import { version } from '../../../src/util/version.ts';

const action = await readAction();
const documents = readDocuments();
const parts = partsOf(action);
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

test('a description names the default that the program has, as its last sentence', () => {
  for (const { name, default: value } of table) {
    const description = action.inputs[name]?.description ?? '';
    if (value !== undefined) assert.ok(description.endsWith(` ${defaultSentence(value)}`), name);
  }
});

test('every value that an input can take, and every variable that stands in, is in its description', () => {
  for (const { name, choices = [], environment = [] } of table) {
    const description = action.inputs[name]?.description ?? '';
    for (const word of [...choices, ...environment])
      assert.ok(description.includes(`\`${word}\``), `${name}: ${word}`);
  }
});

test('documents have the tables of action.yml, the transcripts, and the workflows to copy', () => {
  assert.deepEqual(withParts(documents, parts), documents);
  const quoted = Object.values(parts).join('\n');
  for (const line of ['  1. Create the database ', '✅ shop is back to ', 'Rename the databases back\n'])
    assert.ok(quoted.includes(line), line);
});

test('a table cell keeps a | of its text', () => {
  const changed = { ...action, outputs: { key: { description: 'a|b' } } };
  assert.match(tables(changed).outputs ?? '', /\| `key` \| a\\\|b \|/);
});

describe('a part goes between its markers, and', () => {
  const put = (text: string) => withParts(new Map([['a.md', text]]), { a: 'new $& text' }).get('a.md');
  const markers = '<!-- a:start -->\nold\n<!-- a:end -->\n';

  test('nowhere else', () => {
    assert.equal(
      put(`# A\n${markers}end\n`),
      '# A\n<!-- a:start -->\n\nnew $& text\n\n<!-- a:end -->\nend\n',
    );
  });

  for (const [name, text, message] of [
    ['needs both', '<!-- a:start -->\n', /a\.md: <!-- a:start --> lacks its other half/],
    ['needs the first', '<!-- a:end -->\n', /<!-- a:end --> lacks its other half/],
    ['has a name that is known', markers.replaceAll('a:', 'b:'), /a\.md: there is no part b/],
    ['stands in one place', markers + markers, /2 documents have a between markers/],
    ['stands somewhere', '# A\n', /0 documents have a between markers/],
  ] as const) {
    test(name, () => void assert.throws(() => put(text), message));
  }
});

test('the man page has every input, with its default and what action.yml says of it', () => {
  const text = manPage(action).replaceAll('\\-', '-').replaceAll('\\e', '\\');
  const words = (each: string) => each.replaceAll('`', '').replaceAll(/\s+/g, ' ').trim();
  for (const { name } of table.filter((input) => input.name !== 'command')) {
    const variables = ['ssh-key-passphrase', 'db-password', 'ping-url'];
    const flag = variables.includes(name) ? variableOf(name) : `--${name}`;
    const start = text.search(new RegExp(`\\.TP\n\\.B ${flag}[ \n]`));
    assert.ok(start >= 0, name);
    const description = words(action.inputs[name]?.description ?? '').replaceAll(/[^\x20-\x7e]/g, '');
    const shown = text.slice(start, text.indexOf('\n.TP', start + 1)).replaceAll(/\\\[u\w+\]|\.\.\./g, '');
    if (!/[…’]/.test(action.inputs[name]?.description ?? '')) assert.ok(shown.includes(description), name);
  }
});

test('groff finds nothing to warn of in the man page', async () => {
  const { status, stderr } = spawnSync('groff', ['-man', '-Tutf8', '-ww', '-z'], { input: manPage(action) });
  assert.equal(String(stderr), '');
  assert.equal(status, 0);
});

test('the version is that of package.json', async () => {
  const file = await readFile(new URL('../../../package.json', import.meta.url), 'utf8');
  assert.equal(JSON.parse(file).version, version);
});
