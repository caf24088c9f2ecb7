import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { commandWords } from '../../../../src/inputs/command-line/commands.ts';
import { commandHelp, usage } from '../../../../src/inputs/command-line/help.ts';
import { hasWords } from '../../../../src/inputs/command-line/option-words.ts';
import { parseCommandLine } from '../../../../src/inputs/command-line/read.ts';
import { parseInputs } from '../../../../src/inputs/parse.ts';
import { choices, inputTable } from '../../../../src/inputs/table.ts';
import { inputsOf } from '../../../../src/inputs/uses.ts';
import { variableOf } from '../../../../src/platform/variables.ts';
import { InputError } from '../../../../src/util/errors.ts';

test('the usage is short, and names every command', () => {
  const text = usage();
  for (const name of choices.command) assert.match(text, new RegExp(`^  ${name} +\\w`, 'm'));
  assert.ok(text.split('\n').length <= 22, text);
});

for (const name of choices.command) {
  describe(`${name} --help`, () => {
    test('fits a screen and its width, with purpose, what is required, defaults and an example', () => {
      const text = commandHelp(name, false, 80);
      const lines = text.split('\n');
      assert.ok(lines.length <= 36, `${lines.length} lines\n${text}`);
      assert.deepEqual(
        lines.filter((line) => line.length > 80),
        [],
      );
      assert.match(text, new RegExp(`^Usage: odoo-backup ${name} \\[options\\]\n\n[A-Z]`));
      assert.match(text, /^Required:\n {2}--/m);
      assert.match(text, /^Example:\n {2}odoo-backup /m);
    });

    test('with --all it has every input of the command', () => {
      const text = commandHelp(name, true, 80);
      for (const input of inputsOf(name)) {
        if (input.name === 'command') continue;
        const forms = [`--${input.name}`, `--no-${input.name}`, variableOf(input.name)];
        assert.ok(
          forms.some((form) => text.includes(form)),
          input.name,
        );
      }
    });

    test('its example is a command line without a problem', () => {
      const words = commandWords[name].example
        .replace(/ \|.*$/, '')
        .replaceAll("'", '')
        .split(' ')
        .slice(1);
      assert.deepEqual(parseCommandLine(words, {}).problems, []);
    });

    test('what is required is missed where it is not given, and all options are of the command', () => {
      const { required, common } = commandWords[name];
      assert.throws(
        () => parseInputs((each) => (each === 'command' ? name : ''), {}),
        (error) => {
          assert.ok(error instanceof InputError);
          for (const each of required) assert.match(error.message, new RegExp(`(^|\n)\\s*${each}: `));
          return true;
        },
      );
      const own = inputsOf(name).map((input) => input.name);
      assert.deepEqual(
        [...required, ...common].filter((each) => !own.includes(each)),
        [],
      );
    });
  });
}

test('every input has words of its own', () => {
  const lacking = inputTable.filter(({ name }) => name !== 'command' && !hasWords(name));
  assert.deepEqual(
    lacking.map(({ name }) => name),
    [],
    'add them to src/inputs/command-line/option-words.ts',
  );
});
