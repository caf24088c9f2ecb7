import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { commandHelp, usage } from '../../../src/inputs/command-line/help.ts';
import { choices } from '../../../src/inputs/table.ts';
import { plainText } from '../../../src/report/plain.ts';
import { code, type Summary } from '../../../src/report/summary.ts';
import { cutToWidth, widthOf } from '../../../src/report/width.ts';
import { samples } from '../../support/sample-summaries.ts';

const summary: Summary = {
  outcome: 'done',
  title: 'shop: 12 verified backups, of which the newest one is 13 hours old, and all of them are signed',
  blocks: [
    {
      kind: 'facts',
      rows: [['Newest', [code('acme/backups/shop_2026-11-29_03-22-59.zip'), ', 13 hours ago, 1.2 GiB']]],
    },
    {
      kind: 'table',
      columns: [
        { name: 'Time' },
        { name: 'Condition' },
        { name: 'Size', align: 'right' },
        { name: 'Retention' },
      ],
      rows: [
        [
          code('2026-11-29_03-22-59'),
          '検証済み 😀 restore',
          '1.2 GiB',
          'keep: newest, last 1, daily, weekly, monthly',
        ],
        [
          code('2026-11-28_03-22-59'),
          'failed, ETag differs from what the receipt says',
          '1.1 GiB',
          'delete: no slot',
        ],
      ],
    },
    {
      kind: 'note',
      text: 'Locked objects would stay anyway; whether any are locked could not be determined: S3 denied it to this role.',
    },
  ],
};

describe('a summary in a terminal', () => {
  for (const columns of [40, 80, 120]) {
    test(`of ${columns} columns has no line that is wider, and loses nothing`, () => {
      const text = plainText(summary, columns);
      for (const line of text.split('\n')) assert.ok(widthOf(line) <= columns, `${widthOf(line)}: ${line}`);
      const letters = (of: string) => [...of.replaceAll(/\s/g, '')].toSorted().join('');
      assert.equal(letters(text), letters(plainText(summary)));
    });
  }
});

describe('what a person reads at 80 columns', () => {
  const all: Record<string, string> = {
    usage: usage(80),
    ...Object.fromEntries(
      choices.command.flatMap((name) => [
        [`${name} --help`, commandHelp(name, false, 80)],
        [`${name} --help --all`, commandHelp(name, true, 80)],
      ]),
    ),
    ...Object.fromEntries(
      Object.entries(samples).map(([name, each]) => [name, each.map((one) => plainText(one, 80)).join('\n')]),
    ),
  };
  for (const [name, text] of Object.entries(all)) {
    test(name, () => {
      // One word alone, such as a key to be copied, may be longer.
      const wide = text.split('\n').filter((line) => widthOf(line) > 80 && /\S\s+\S/.test(line));
      assert.deepEqual(wide, []);
    });
  }
});

test('a text that is cut is never wider than it may be', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 60 }),
      fc.integer({ min: 2, max: 50 }),
      (text, columns) => {
        const cut = cutToWidth(text, columns);
        assert.ok(widthOf(cut) <= columns || cut === text, JSON.stringify([text, cut, columns]));
      },
    ),
  );
});
