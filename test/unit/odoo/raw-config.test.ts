import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { optionsOf } from '../../../src/odoo/raw-config.ts';

/** What Python has of each of the texts; null: it refuses the file. `strict`: two equal options are refused. */
const PYTHON = `
import configparser, io, json, sys
def read(text):
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_file(io.StringIO(text, newline=None))
        return dict(parser.items('options'))
    except configparser.NoSectionError: return {}
    except configparser.Error: return None
print(json.dumps([read(text) for text in json.load(sys.stdin)]))`;

function asPython(texts: readonly string[]): (Record<string, string> | null)[] {
  const { stdout, stderr } = spawnSync('python3', ['-c', PYTHON], {
    input: JSON.stringify(texts),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  assert.equal(stderr, '');
  return JSON.parse(stdout);
}

const space = fc.constantFrom('', '', '', ' ', '  ', '\t', ' \t ', '\u00a0', '\u2028', '\x0c', '\x1c');
const name = fc.constantFrom('db_host', 'DB_Host', 'db_port', 'data dir', 'x', 'İ', 'a[b]', '[x');
const value = fc.oneof(
  fc.constantFrom('', 'False', '%(x)s', 'a # b', 'a ; b', '[options]', 'a = b : c', '"q"', '=', ':', 'é'),
  fc.string({ maxLength: 8, unit: 'binary' }).filter((text) => !/[\r\n\ufeff\ud800-\udfff]/.test(text)),
);
const line = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(space, name, space, fc.constantFrom('=', ':'), space, value, space) },
  {
    weight: 2,
    arbitrary: fc.tuple(space, fc.constantFrom('[options]', '[DEFAULT]', '[other]', '[options] x', '[a]]')),
  },
  { weight: 1, arbitrary: fc.tuple(space, fc.constantFrom('#', ';'), value) },
  { weight: 2, arbitrary: fc.tuple(space, space) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom(' ', '    ', '\t'), value) },
);
const file = fc
  .tuple(fc.boolean(), fc.array(fc.tuple(line, fc.constantFrom('\n', '\n', '\r\n', '\r')), { maxLength: 12 }))
  .map(
    ([begun, lines]) =>
      `${begun ? '[options]\n' : ''}${lines.map(([parts, end]) => parts.join('') + end).join('')}`,
  );

suite('odoo.conf, beside Python’s RawConfigParser', () => {
  test('files of every kind are read alike', () => {
    const texts = fc.sample(file, 4000);
    const python = asPython(texts);
    let compared = 0;
    for (const [index, text] of texts.entries()) {
      const expected = python[index];
      if (!expected) continue;
      compared += 1;
      assert.deepEqual(Object.fromEntries(optionsOf(text)), expected, JSON.stringify(text));
    }
    assert.ok(compared > 500, `Python reads ${compared}`);
  });

  for (const [what, text, expected] of [
    [
      'options all indented alike',
      '[options]\n  db_host = a\n  db_port = 1\n',
      { db_host: 'a', db_port: '1' },
    ],
    ['an indented option is a part of the one above', '[options]\nx = a\n y = b\n', { x: 'a\ny = b' }],
    ['[DEFAULT]', '[DEFAULT]\nx = 1\ny = 2\n[options]\ny = 3\n', { x: '1', y: '3' }],
    ['the last of two', '[options]\nx = 1\nx = 2\n', { x: '2' }],
    ['a line that Python refuses', '[options]\nnothing\nx = 2\n', { x: '2' }],
    ['a byte order mark', '\uFEFF[options]\nx = 2\n', { x: '2' }],
  ] as const) {
    test(what, () => assert.deepEqual(Object.fromEntries(optionsOf(text)), expected));
  }
});
