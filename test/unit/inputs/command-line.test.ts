import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseCommandLine } from '../../../src/inputs/command-line.ts';

test('flags before variables, in both forms, and the command in front', () => {
  const env = { ODOO_BACKUP_SSH_HOST: 'variable', ODOO_BACKUP_JOBS: '2' };
  const line = parseCommandLine(['backup', '--ssh-host', 'flag', '--sudo=never', '--dry-run'], env);
  assert.deepEqual(line.problems, []);
  const names = ['command', 'ssh-host', 'sudo', 'dry-run', 'jobs', 'database'];
  assert.deepEqual(names.map(line.input), ['backup', 'flag', 'never', 'true', '2', '']);
});

const cases: [string[], string[]][] = [
  [['--dry-run=false'], []],
  [['--compression', '-1'], ['--compression: needs a value']],
  [['--compression=-1'], []], // the parser of the input refuses it
  [['--ssh-host'], ['--ssh-host: needs a value']],
  [
    ['--ssh-host', '--sudo', 'auto'],
    ['--ssh-host: needs a value', 'auto: what is this? Each value needs its --name'],
  ],
  [['--ssh-hots', 'x'], ['--ssh-hots: unknown, did you mean --ssh-host?']],
  [['--frobnicate'], ['--frobnicate: unknown; --help lists what there is']],
  [['--jobs', '1', '--jobs=2'], ['--jobs: given twice']],
  [['backup', 'prod'], ['prod: what is this? Each value needs its --name']],
  [['--ssh-key', '/home/ci/.ssh/id_ed25519'], []],
  [
    ['--db-password', 'x'],
    ['--db-password: would be readable in the list of processes: set ODOO_BACKUP_DB_PASSWORD instead'],
  ],
  [
    ['--ssh-key=-----BEGIN KEY-----\nx'],
    ['--ssh-key: would be readable in the list of processes: set ODOO_BACKUP_SSH_KEY instead'],
  ],
];
describe('problems', () => {
  for (const [argv, problems] of cases) {
    test(JSON.stringify(argv), () => assert.deepEqual(parseCommandLine(argv, {}).problems, problems));
  }
});

test('a variable with a misspelt name is warned of, a result of an earlier job is not', () => {
  const { warnings } = parseCommandLine([], { ODOO_BACKUP_KMS_KEYID: 'k', ODOO_BACKUP_RESULT_KEY: 'r' });
  assert.deepEqual(warnings, ['ODOO_BACKUP_KMS_KEYID is no input; did you mean ODOO_BACKUP_KMS_KEY_ID?']);
});

test('--help and --version', () => {
  assert.equal(parseCommandLine(['--help'], {}).help, true);
  assert.equal(parseCommandLine(['backup', '--version'], {}).version, true);
});
