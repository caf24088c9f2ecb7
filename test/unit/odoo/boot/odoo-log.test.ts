import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { exceptionIn, OdooLog } from '../../../../src/odoo/boot/odoo-log.ts';
import { isPrintable } from '../../../../src/util/controls.ts';

const read = (text: string): OdooLog => {
  const log = new OdooLog();
  for (const line of text.split('\n')) log.add(line);
  return log;
};

const head = (level: string, rest: string) =>
  `2026-11-30 09:00:00,123 4711 ${level} shop__rehearsal_1 ${rest}`;

suite('Odoo’s log', () => {
  test('has warnings, and errors with their tracebacks', () => {
    const log = read(
      [
        head('INFO', 'odoo: Odoo version 17.0'),
        head('WARNING', 'odoo.modules.loading: The model x has no access rules'),
        head('WARNING', 'py.warnings: /opt/odoo/x.py:1: DeprecationWarning: old'),
        '  import old',
        head('ERROR', 'odoo.schema: Table x: unable to set NOT NULL'),
        head('CRITICAL', 'odoo.service.server: Failed to initialize database `shop`.'),
        'Traceback (most recent call last):',
        '  File "/opt/odoo/odoo/service/server.py", line 1, in preload',
        'psycopg2.errors.UndefinedColumn: column "y" does not exist',
        'LINE 1: SELECT y',
        head('INFO', 'odoo.service.server: Initiating shutdown'),
      ].join('\n'),
    );
    assert.equal(log.warnings, 2);
    assert.equal(log.errors, 2);
    assert.deepEqual(
      log.entries.map(({ level, logger, message, trace }) => [level, logger, message, trace.length]),
      [
        ['WARNING', 'odoo.modules.loading', 'The model x has no access rules', 0],
        ['WARNING', 'py.warnings', '/opt/odoo/x.py:1: DeprecationWarning: old', 1],
        ['ERROR', 'odoo.schema', 'Table x: unable to set NOT NULL', 0],
        ['CRITICAL', 'odoo.service.server', 'Failed to initialize database `shop`.', 4],
      ],
    );
    assert.equal(log.lastWords(20)[0], 'Traceback (most recent call last):');
    assert.equal(log.lastWords(20).at(-1), 'LINE 1: SELECT y');
    assert.deepEqual(log.lastWords(3), ['Traceback (most recent call last):', '…', 'LINE 1: SELECT y']);
    assert.equal(
      exceptionIn(log.lastWords(20)),
      'psycopg2.errors.UndefinedColumn: column "y" does not exist',
    );
  });

  test('is read in colours as well', () => {
    const log = read(
      '2026-11-30 09:00:00,123 7 \x1b[1;31m\x1b[1;49mERROR\x1b[0m shop \x1b[34modoo.x\x1b[0m: no \x1b[1mway\x1b[0m',
    );
    assert.deepEqual(log.entries, [{ level: 'ERROR', logger: 'odoo.x', message: 'no way', trace: [] }]);
  });

  test('without a traceback, its last lines tell', () => {
    assert.deepEqual(read('one\ntwo\n\nthree').lastWords(2), ['two', 'three']);
    assert.deepEqual(read('').lastWords(2), []);
    assert.equal(exceptionIn(['one', 'LINE 1: x', 'DETAIL:  Failing row: y', 'ERROR: x']), undefined);
    for (const line of ['KeyError', 'ValueError: no', 'odoo.tools.convert.ParseError: while parsing x'])
      assert.equal(exceptionIn([line, '  File "x"', 'DETAIL: y']), line);
  });

  test('is bounded, whatever comes, and holds nothing that steers a terminal', () => {
    const line = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.constantFrom('Traceback (most recent call last):', '::error::x', '\x1b]0;title\x07', '\u202e'),
      fc
        .tuple(fc.constantFrom('WARNING', 'ERROR', 'CRITICAL', 'INFO', 'X'), fc.string({ unit: 'binary' }))
        .map(([level, text]) => head(level, `a.b: ${text}`)),
      fc.nat(3000).map((length) => 'x'.repeat(length)),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 200 }), (lines) => {
        const log = new OdooLog();
        for (const each of lines) log.add(each);
        const texts = [
          ...log.lastWords(1000),
          ...log.entries.flatMap(({ message, logger, trace }) => [message, logger, ...trace]),
        ];
        assert.ok(log.entries.length <= 40);
        assert.ok(log.lastWords(1000).length <= 200);
        assert.ok(log.lastWords(10).length <= 10);
        for (const text of texts) assert.ok(isPrintable(text) && text.length <= 500, JSON.stringify(text));
        const counted = lines.filter((each) =>
          /^2026-11-30 \S+ 4711 (WARNING|ERROR|CRITICAL) \S+ a\.b: /.test(each),
        );
        assert.equal(log.warnings + log.errors, counted.length);
      }),
    );
  });
});
