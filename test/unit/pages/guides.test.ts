import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readAction } from '../../../scripts/docs.ts';
import { type InputDefinition, inputTable } from '../../../src/inputs/table.ts';
import { paths, read } from '../../support/documents.ts';

const guides = read('docs/guides.md');
const action = await readAction();
const table: readonly InputDefinition[] = inputTable;

/** A row of a table that names a step and its answer; headings of tables and the lines below them left out. */
const rows = guides
  .split('\n')
  .filter((line) => /^\| (?!In the guide|---)/.test(line))
  .map((line) => line.slice(2, -2).split(/(?<!\\) \| ?/));

/** The text in backticks of what is said here: the introductions and the second column. */
const ours = [guides.replaceAll(/^\|.*$/gm, ''), ...rows.map(([, here = '']) => here)].join('\n');
const quoted = [...ours.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);

/** What is written as inputs are, and is none. */
const others = ['cron', 'when', 'name'];
/** Words with a hyphen that belong to the workflows, the components and other programs. */
const programs: readonly string[] = [];

describe('docs/guides.md', () => {
  it('has a line for every procedure, and an answer for every line', () => {
    assert.equal(guides.match(/^## /gm)?.length, 4);
    assert.ok(rows.length > 80);
    for (const [step = '', here = '', ...rest] of rows) {
      assert.deepEqual(rest, [], step);
      assert.ok(here !== '' || step.startsWith('**'), step);
    }
  });

  it('names inputs that exist, with values that they take', () => {
    const settings = quoted.flatMap((text) => /^([a-z][a-z0-9-]*): (.+)$/.exec(text)?.slice(1, 3) ?? []);
    assert.ok(settings.length > 100);
    for (let at = 0; at < settings.length; at += 2) {
      const [name = '', value = ''] = settings.slice(at, at + 2);
      if (others.includes(name)) continue;
      const input = table.find((each) => each.name === name);
      assert.ok(input, `no input ${name}: ${value}`);
      const allowed = input.boolean ? ['true', 'false'] : input.choices;
      assert.ok(!allowed || allowed.includes(value), `${name}: ${value}`);
    }
  });

  it('names no input without a value that is none', () => {
    const bare = quoted.filter((text) => /^[a-z0-9]+(-[a-z0-9]+)+$/.test(text));
    const known = [
      ...Object.keys(action.inputs),
      ...Object.keys(action.outputs),
      ...programs,
      'queue-worker',
    ];
    assert.deepEqual(
      bare.filter((name) => !known.includes(name)),
      [],
    );
    assert.ok(bare.length > 5);
  });

  it('has every command and every format of a dump', () => {
    for (const name of ['command', 'format'] as const) {
      const { choices = [] } = table.find((each) => each.name === name) ?? {};
      for (const value of choices) assert.ok(ours.includes(`\`${name}: ${value}\``), `${name}: ${value}`);
    }
  });

  it('shows every workflow and pipeline to copy that one of the guides needs', () => {
    const shown = paths('templates/{github,gitlab}/*.yml');
    const linked = [...guides.matchAll(/\]\(\.\.\/(templates\/[^)]+)\)/g)].map(([, path = '']) => path);
    for (const path of linked) assert.ok(shown.includes(path), path);
  });
});
