import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { FetchInputs } from '../../../src/inputs/fetch.ts';
import { parseInputs } from '../../../src/inputs/parse.ts';
import type { Environment } from '../../../src/platform/platform.ts';
import { type RawInputs, reader } from '../../support/inputs.ts';

const fetch = (inputs: RawInputs = {}, env: Environment = {}): FetchInputs => {
  const given = { command: 'fetch', 's3-bucket': 'backups', customer: 'acme', output: 'shop.zip', ...inputs };
  const parsed = parseInputs(reader(given), { AWS_REGION: 'eu-central-1', ...env });
  assert.ok(parsed.command === 'fetch');
  return parsed;
};

const SHA1 = 'da39a3ee5e6b4b0d3255bfef95601890afd80709';

suite('the inputs of a fetch', () => {
  test('as few as there can be: the latest archive, whole, and no host', () => {
    const { backup, database, allowUnverified, request, target } = fetch();
    assert.deepEqual(
      { backup, database, allowUnverified, request, target },
      {
        backup: 'latest',
        database: undefined,
        allowUnverified: false,
        request: { kind: 'archive' },
        target: { kind: 'path', path: 'shop.zip', replace: false },
      },
    );
  });

  test('one thing of the archive', () => {
    const cases: [RawInputs, FetchInputs['request']][] = [
      [{ member: 'dump.sql' }, { kind: 'member', name: 'dump.sql' }],
      [{ member: './manifest.json' }, { kind: 'member', name: 'manifest.json' }],
      [{ attachment: SHA1.toUpperCase() }, { kind: 'content', sha1: SHA1 }],
      [{ attachment: '1'.repeat(40) }, { kind: 'content', sha1: '1'.repeat(40) }],
      [{ attachment: '42' }, { kind: 'attachment', id: 42 }],
      [{ record: 'account.move/42' }, { kind: 'record', model: 'account.move', id: 42 }],
      [{ record: 'res.partner,7' }, { kind: 'record', model: 'res.partner', id: 7 }],
      [{ table: 'res_partner' }, { kind: 'table', table: { schema: 'public', table: 'res_partner' } }],
      [{ table: 'Odd one.t "x"' }, { kind: 'table', table: { schema: 'Odd one', table: 't "x"' } }],
    ];
    for (const [inputs, request] of cases) assert.deepEqual(fetch(inputs).request, request);
  });

  test('what cannot be is refused', () => {
    const cases: [RawInputs, RegExp][] = [
      [{ output: '' }, /^output: is required: the file to write, or - for standard output$/],
      [
        { member: 'dump.sql', table: 'res_partner' },
        /^member: cannot be combined with table: a run fetches one thing$/,
      ],
      [{ attachment: 'da39a3ee' }, /^attachment: 'da39a3ee' is neither a SHA-1 .* nor the id/],
      [{ attachment: '-1' }, /^attachment: /],
      [{ attachment: '../x' }, /^attachment: /],
      [{ record: 'account.move' }, /^record: .* is not a record, such as account\.move\/42$/],
      [{ record: 'account move/1' }, /^record: /],
      [{ record: '../x/1' }, /^record: /],
      [{ table: 'a.b.c' }, /^table: 'a\.b\.c' is not the name of a table/],
      [{ table: 'x'.repeat(64) }, /^table: /],
    ];
    for (const [inputs, message] of cases) assert.throws(() => fetch(inputs), { message });
  });

  test('standard output is for a terminal', () => {
    assert.deepEqual(fetch({ output: '-' }).target, { kind: 'standard output' });
    for (const env of [{ GITLAB_CI: 'true' }, { GITHUB_ACTIONS: 'true', INPUT_COMMAND: 'fetch' }]) {
      assert.throws(() => fetch({ output: '-' }, env), /output: - is for a terminal: .* Name a file/);
    }
  });

  test('not the latest where the key it was to get is empty', () => {
    assert.throws(() => fetch({}, { ODOO_BACKUP_BACKUP: '' }), /backup: is empty/);
  });
});
