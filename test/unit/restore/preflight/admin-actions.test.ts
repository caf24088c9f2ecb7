import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { adminActions } from '../../../../src/restore/preflight/admin-actions.ts';
import { plpgsql, rollback, source, target, traits, unaccent, version } from './sample-facts.ts';

suite('what the admin role does', () => {
  const admin = { ...target.admin, role: 'boss', login: 'boss' };
  const facts = { ...rollback, target: { ...target, admin }, extensions: [plpgsql, unaccent] };

  test('nothing, where it is the login that loads the dump', () => {
    assert.deepEqual(adminActions({ ...facts, login: { login: 'boss', version } }), []);
  });

  test('what the owner of a database may not', () => {
    const create = 'create the database, and later rename it';
    const mark = 'mark the function unaccent IMMUTABLE';
    assert.deepEqual(adminActions(facts), [create, 'create the extension unaccent', mark]);
    assert.deepEqual(adminActions({ ...facts, trusted: new Set(['unaccent']) }), [create, mark]);
    const ofAdmin = { ...unaccent, owner: 'boss' };
    assert.deepEqual(
      adminActions({ ...facts, extensions: [ofAdmin], trusted: new Set(['unaccent']) }),
      [create, 'create the extension unaccent', mark],
      'one that belonged to an admin stays an admin’s',
    );
  });

  test('settings and the state of extensions, the latter of a backup with a receipt only', () => {
    const extensionState = {
      schemas: [],
      sequences: [{ schema: 'public', name: 's', last: '7', called: true }],
      privileges: [],
    };
    const description = { postgres: { server: '15.18', owner: 'odoo' }, roles: [], extensionState };
    const given = {
      ...facts,
      extensions: [],
      traits: { ...traits, settings: ['a'] },
      source: { ...source, description },
    };
    const settings = 'give the settings that its owner may not, as far as a backup may say so';
    const create = 'create the database, and later rename it';
    assert.deepEqual(adminActions(given), [create, 'set 1 sequences of extensions', settings]);
    const unverified = { ...given, source: { ...given.source, receipt: undefined } };
    assert.deepEqual(adminActions(unverified), [create, settings]);
  });
});
