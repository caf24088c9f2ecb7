import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { troubleshootingOf } from '../../../scripts/docs.ts';
import { moreHelp } from '../../../src/platform/more-help.ts';
import troubleshooting from '../../../src/platform/troubleshooting.json' with { type: 'json' };
import { InputError, UserError } from '../../../src/util/errors.ts';
import { anchors, read } from '../../support/documents.ts';

describe('an error says where docs/troubleshooting.md tells of it', () => {
  for (const [error, anchor] of [
    [new InputError('2 inputs need a change:\n  a\n  b', ''), 'inputs'],
    [new InputError('s3-bucket: is required', ''), 'inputs'],
    [
      new UserError('Something else', '', { cause: new Error('There is no bucket backups') }),
      's3-the-bucket-and-the-network',
    ],
    [new UserError('Odoo is not healthy after 0.8 s: x', ''), 'what-makes-one-fail-on-its-way'],
  ] as const) {
    test(error.message, () => assert.equal(moreHelp(error), `${troubleshooting.page}#${anchor}`));
  }

  test('or nothing', () => assert.equal(moreHelp(new Error('a message of nobody’s')), undefined));

  test('every heading is there', () => {
    const there = anchors(read('docs/troubleshooting.md'));
    const lacking = Object.values(troubleshooting.messages).filter((anchor) => !there.includes(anchor));
    assert.deepEqual(lacking, []);
  });

  test('by its URL, once the project has a home', () => {
    const home = {
      owner: 'acme',
      repository: 'acme/odoo-backups',
      gitlabProject: 'acme/x',
      version: '1.2.3',
    };
    assert.equal(
      troubleshootingOf('## A: b\n\n| `a long message …` | x |\n', home),
      `${JSON.stringify(
        {
          page: 'https://github.com/acme/odoo-backups/blob/v1.2.3/docs/troubleshooting.md',
          messages: { 'a long message …': 'a-b' },
        },
        undefined,
        2,
      )}\n`,
    );
  });
});
