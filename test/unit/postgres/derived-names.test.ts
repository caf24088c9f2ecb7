import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  derivedFolder,
  derivedName,
  isDerivedName,
  isTemporaryName,
  parseDerivedName,
  temporaryTimestamp,
} from '../../../src/postgres/derived-names.ts';

const at = '20261121034100';

suite('derived names', () => {
  for (const [database, expected] of [
    ['prod', `prod__new_${at}`],
    ['a'.repeat(43), `${'a'.repeat(43)}__new_${at}`],
    ['a'.repeat(44), `${'a'.repeat(34)}~e6ab7e7a__new_${at}`],
    ['été', `été__new_${at}`],
    [`prod__old_${at}`, `prod__old_${at}__new_${at}`],
  ] as const) {
    test(`of ${database}`, () => {
      const name = derivedName(database, 'new', at);
      assert.equal(name.replace(/~[0-9a-f]{8}/, '~'), expected.replace(/~[0-9a-f]{8}/, '~'));
      assert.ok(Buffer.byteLength(name) <= 63);
      assert.deepEqual(parseDerivedName(name, database), { derivation: 'new', timestamp: at });
      assert.ok(isDerivedName(name));
    });
  }

  test('are cut between characters, and stay unique', () => {
    const long = 'é'.repeat(31); // 62 bytes
    const names = [`${long}a`, `${long}b`].map((database) => derivedName(database, 'old', at));
    assert.notEqual(names[0], names[1]);
    for (const name of names) {
      assert.ok(Buffer.byteLength(name) <= 63);
      assert.match(name, /^é{17}~[0-9a-f]{8}__old_\d{14}$/);
    }
  });

  for (const [name, database] of [
    ['prod', 'prod'],
    [`prod__tmp_${at}`, 'prod'],
    ['prod__new_2026', 'prod'],
    [`prod__new_${at}`, 'production'],
    [`prod2__new_${at}`, 'prod'],
    [`prod__new_${at}x`, 'prod'],
    [derivedName('a'.repeat(50), 'new', at), 'a'.repeat(51)],
  ] as const) {
    test(`${name} is none of ${database}`, () => assert.equal(parseDerivedName(name, database), undefined));
  }

  for (const kind of ['test', 'rehearsal'] as const) {
    for (const database of ['prod', 'a'.repeat(60), 'é'.repeat(31)]) {
      test(`for the time of a ${kind}, of ${database}`, () => {
        const name = derivedName(database, kind, at);
        assert.ok(Buffer.byteLength(name) <= 63);
        assert.equal(temporaryTimestamp(name, database, kind), at);
        assert.equal(temporaryTimestamp(name, database, kind === 'test' ? 'rehearsal' : 'test'), undefined);
        assert.equal(temporaryTimestamp(name, `${database}x`, kind), undefined);
        assert.ok(isTemporaryName(name, database));
        assert.equal(parseDerivedName(name, database), undefined);
      });
    }
  }

  test('of folders lie beside', () => {
    assert.equal(derivedFolder('/srv/filestore/prod', 'old', at), `/srv/filestore/prod__old_${at}`);
  });
});
