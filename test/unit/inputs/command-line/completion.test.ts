import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { completionScript } from '../../../../src/inputs/command-line/completion.ts';

/** What a shell prints, given a script. */
function printed(shell: string, args: readonly string[], input: string): string {
  const { stdout, stderr, status, error } = spawnSync(shell, args, { input, encoding: 'utf8' });
  assert.ifError(error);
  assert.equal(status, 0, stderr);
  return stdout;
}

const cases: readonly (readonly [words: string, expected: readonly string[]])[] = [
  ['ga', ['gate']],
  ['help ga', ['gate']],
  ['completion z', ['zsh']],
  ['gate --max', ['--max-age', '--max-restore', '--max-shrink']],
  ['gate --format', []], // is no option of a gate
  ['gate --require co', ['contents']],
  ['list --js', ['--json']],
  ['backup --no-incr', ['--no-incremental']],
];

describe('bash', () => {
  for (const [typed, expected] of cases) {
    test(typed, () => {
      const words = ['odoo-backup', ...typed.split(' ')];
      const script = `${completionScript('bash')}
COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; _odoo_backup; printf '%s\\n' "\${COMPREPLY[@]}"`;
      assert.deepEqual(printed('bash', ['--norc'], script).split('\n').filter(Boolean), expected);
    });
  }
});

describe('fish', () => {
  for (const [typed, expected] of cases) {
    test(typed, () => {
      const script = `${completionScript('fish')}\ncomplete -C 'odoo-backup ${typed}'`;
      const found = printed('fish', ['--no-config', '-c', script], '').split('\n').filter(Boolean);
      assert.deepEqual(
        found.map((line) => line.split('\t')[0]),
        expected,
      );
    });
  }
});

describe('zsh', () => {
  test('takes the script', () => {
    const script = `autoload -U compinit && compinit -D\n${completionScript('zsh')}\nwhence -w _odoo_backup`;
    assert.match(printed('zsh', ['-f'], script), /_odoo_backup: function/);
  });
});
