import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseCommandLine } from '../../../../src/inputs/command-line/read.ts';

test('flags before variables, in both forms, and the command in front', () => {
  const env = { ODOO_BACKUP_SSH_HOST: 'variable', ODOO_BACKUP_JOBS: '2' };
  const line = parseCommandLine(['backup', '--ssh-host', 'flag', '--sudo=never', '--dry-run'], env);
  assert.deepEqual(line.problems, []);
  const names = ['command', 'ssh-host', 'sudo', 'dry-run', 'jobs', 'database'];
  assert.deepEqual(names.map(line.input), ['backup', 'flag', 'never', 'true', '2', '']);
  assert.deepEqual(line.flags, ['ssh-host', 'sudo', 'dry-run']);
});

const cases: [string[], string[]][] = [
  [['--dry-run=false'], []],
  [['--no-incremental'], []],
  [['--no-filestore'], []],
  [['--compression', '-1'], []], // the parser of the input refuses it, and says why
  [['--compression=-1'], []],
  [['fetch', '--output', '-'], []],
  [['--ssh-host'], ['--ssh-host: needs a value']],
  [
    ['--ssh-host', '--sudo', 'auto'],
    ['auto: unexpected argument; every value needs a --flag', '--ssh-host: needs a value'],
  ],
  [['--stop-command=--x'], []],
  [['--ssh-hots', 'x'], ['--ssh-hots: unknown, did you mean --ssh-host?']],
  [['--ssh-hots=x'], ['--ssh-hots: unknown, did you mean --ssh-host?']],
  [['--no-ssh-host'], ['--no-ssh-host: --ssh-host takes a value, and is left out where it has none']],
  [['--frobnicate'], ['--frobnicate: unknown; --help lists what there is']],
  [['-x'], ['-x: unknown; --help lists what there is']],
  [['--jobs', '1', '--jobs=2'], ['--jobs: given twice']],
  [['--incremental', '--no-incremental'], ['--incremental: given twice']],
  [['backup', 'prod'], ['prod: unexpected argument; every value needs a --flag']],
  [['backup', '--jobs', '1', 'prod'], ['prod: unexpected argument; every value needs a --flag']],
  [['--ssh-key', '/home/ci/.ssh/id_ed25519'], []],
  [['--signing-key', '/home/ci/.ssh/id_ed25519'], []],
  [
    ['--db-password', 'x'],
    ['--db-password: would be readable in the list of processes: set ODOO_BACKUP_DB_PASSWORD instead'],
  ],
  [
    ['--ssh-key=-----BEGIN KEY-----\nx'],
    ['--ssh-key: would be readable in the list of processes: set ODOO_BACKUP_SSH_KEY instead'],
  ],
  [
    [`--ssh-key=${Buffer.from('-----BEGIN OPENSSH PRIVATE KEY-----\nabc').toString('base64')}`],
    ['--ssh-key: would be readable in the list of processes: set ODOO_BACKUP_SSH_KEY instead'],
  ],
  [['completion'], ['completion: name a shell: bash, zsh, fish']],
  // A wrong command is all that is said.
  [['bakcup', '--nonsense'], ['bakcup: there is no such command; did you mean backup?']],
  [['frobnicate'], ['frobnicate: there is no such command']],
  [['help', 'gaet'], ['gaet: there is no such command; did you mean gate?']],
];
describe('problems', () => {
  for (const [argv, problems] of cases) {
    test(JSON.stringify(argv), () =>
      assert.deepEqual(parseCommandLine(argv, {}).problems.toSorted(), problems.toSorted()),
    );
  }
});

test('a boolean is true, false or negated', () => {
  const value = (...argv: string[]) => parseCommandLine(['restore', ...argv], {}).input('neutralize');
  assert.equal(value('--neutralize'), 'true');
  assert.equal(value('--neutralize=false'), 'false');
  assert.equal(value('--neutralize', 'false'), 'false');
  assert.equal(value('--no-neutralize'), 'false');
  assert.equal(value(), '');
});

test('a variable with a misspelt name is warned of, a result of an earlier job is not', () => {
  const { warnings } = parseCommandLine([], { ODOO_BACKUP_KMS_KEYID: 'k', ODOO_BACKUP_RESULT_KEY: 'r' });
  assert.deepEqual(warnings, ['ODOO_BACKUP_KMS_KEYID is no input; did you mean ODOO_BACKUP_KMS_KEY_ID?']);
});

describe('what the program says of itself', () => {
  const usage = { kind: 'usage' };
  const gate = { kind: 'help', command: 'gate', all: false };
  for (const [argv, print] of [
    [['--help'], usage],
    [['-h'], usage],
    [['help'], usage],
    [['help', 'gate'], gate],
    [['gate', '--help'], gate],
    [['gate', '--database', 'shop', '-h'], gate],
    [['gate', '--help', '--all'], { ...gate, all: true }],
    [['gate', '--all', '--help'], { ...gate, all: true }],
    [['--version'], { kind: 'version' }],
    [['-v'], { kind: 'version' }],
    [['-V'], { kind: 'version' }],
    [['version'], { kind: 'version' }],
    [['completion', 'fish'], { kind: 'completion', shell: 'fish' }],
    [['gate'], undefined],
  ] as const) {
    test(argv.join(' '), () => assert.deepEqual(parseCommandLine(argv, {}).print, print));
  }
});

test('what only a terminal has', () => {
  const line = parseCommandLine(['list', '--json', '--report', 'a.html', '--config=b.yml'], {});
  assert.deepEqual([line.json, line.report, line.config, line.problems], [true, 'a.html', 'b.yml', []]);
});
