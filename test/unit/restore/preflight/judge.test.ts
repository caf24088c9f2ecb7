import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { judge } from '../../../../src/restore/preflight/judge.ts';
import { copy, passed, plpgsql, rollback, source, testCases, unaccent } from './sample-facts.ts';

suite('a preflight', () => {
  test('a rollback that nothing stands in the way of', () => {
    assert.deepEqual(judge(rollback), { problems: [], warnings: [], passed });
  });

  test('a copy likewise', () => {
    assert.deepEqual(judge(copy), { problems: [], warnings: [], passed });
  });

  testCases([
    {
      title: 'a problem that is found twice counts once',
      facts: {
        ...rollback,
        lock: { message: 'psql is not let in', hint: 'Let it in.' },
        failures: [{ message: 'psql is not let in', hint: 'Let it in.' }],
        isStandby: true,
      },
      problems: [/^psql is not let in$/, /is a standby/],
    },
  ]);

  test('what is as it has to be is told, each thing once it is certain', () => {
    const all = judge({
      ...rollback,
      extensions: [plpgsql, unaccent],
      source: { ...source, description: { postgres: { server: '9.6.24', owner: 'odoo' }, roles: ['odoo'] } },
    });
    assert.deepEqual(all.passed, [
      'PostgreSQL 15.18 takes a dump of 9',
      'its extensions can be made: unaccent',
      'odoo may create and rename databases of odoo',
      'systemctl stop odoo, systemctl start odoo may be run',
      'the roles of the backup are there: odoo',
    ]);
    const none = judge({
      ...rollback,
      extensions: [unaccent],
      extensionProblems: [{ extension: 'unaccent', problem: 'absent' }],
      source: { ...source, description: undefined, receipt: { postgres: { server: '' } } },
      missingRights: ['odoo may not create databases'],
      services: {
        problems: [{ message: 'odoo.service is not there', hint: 'Name it.' }],
        running: undefined,
      },
    });
    assert.deepEqual(none.passed, []);
  });
});
