import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { parseInputs } from '../../../src/inputs/parse.ts';
import type { RestoreInputs, RollbackInputs } from '../../../src/inputs/restore.ts';
import type { Environment } from '../../../src/platform/platform.ts';
import { InputError } from '../../../src/util/errors.ts';
import { fewestInputs, fewestVariables, type RawInputs, reader } from '../../support/inputs.ts';

const parse = (inputs: RawInputs, env: Environment = {}) =>
  parseInputs(reader({ ...fewestInputs, ...inputs }), { ...fewestVariables, ...env });

const rollback = (inputs: RawInputs = {}, env: Environment = {}): RollbackInputs => {
  const parsed = parse({ command: 'rollback', services: 'odoo', ...inputs }, env);
  assert.ok(parsed.command === 'rollback');
  return parsed;
};

const restore = (inputs: RawInputs = {}): RestoreInputs => {
  const parsed = parse({ command: 'restore', 'target-database': 'copy', ...inputs });
  assert.ok(parsed.command === 'restore');
  return parsed;
};

suite('the inputs of a rollback', () => {
  for (const command of ['rollback', 'restore']) {
    for (const variable of ['INPUT_BACKUP', 'ODOO_BACKUP_BACKUP']) {
      test(`${command}: not the latest where the key it was to get is empty (${variable})`, () => {
        const given = command === 'rollback' ? { services: 'odoo' } : { 'target-database': 'copy' };
        assert.throws(
          () => parse({ command, ...given }, { [variable]: '' }),
          /backup: is empty: the earlier job did not pass its key on/,
        );
      });
    }
  }

  test('as few as there can be', () => {
    const { backup, services, health, keepPrevious, jobs, dryRun, allowUnverified } = rollback();
    assert.deepEqual(
      { backup, services, health, keepPrevious, jobs, dryRun, allowUnverified },
      {
        backup: 'latest',
        services: { kind: 'units', units: ['odoo'] },
        health: { url: undefined, from: 'host', timeoutMs: 120_000 },
        keepPrevious: 3,
        jobs: undefined,
        dryRun: false,
        allowUnverified: false,
      },
    );
  });

  const accepted: [RawInputs, (inputs: RollbackInputs) => unknown, unknown][] = [
    [
      { services: 'odoo, odoo-queue@1.service\nnginx' },
      ({ services }) => services,
      { kind: 'units', units: ['odoo', 'odoo-queue@1.service', 'nginx'] },
    ],
    [
      { services: '', 'stop-command': 'docker stop odoo', 'start-command': 'docker start odoo' },
      ({ services }) => services,
      { kind: 'commands', stop: 'docker stop odoo', start: 'docker start odoo' },
    ],
    [
      { 'health-check': 'https://odoo.example.com/web/health from runner within 90s' },
      ({ health }) => health,
      { url: 'https://odoo.example.com/web/health', from: 'runner', timeoutMs: 90_000 },
    ],
    [
      { 'health-check': 'http://127.0.0.1:8069/web/login' },
      ({ health }) => health,
      { url: 'http://127.0.0.1:8069/web/login', from: 'host', timeoutMs: 120_000 },
    ],
    [
      { 'health-check': 'odoo within 1h' },
      ({ health }) => health,
      { url: undefined, from: 'host', timeoutMs: 3_600_000 },
    ],
    [{ 'keep-previous': 'always' }, ({ keepPrevious }) => keepPrevious, 'always'],
    [{ 'keep-previous': '7' }, ({ keepPrevious }) => keepPrevious, 7],
    [{ 'keep-previous': '7d' }, ({ keepPrevious }) => keepPrevious, 7],
  ];
  for (const [inputs, pick, expected] of accepted) {
    test(`accepted: ${JSON.stringify(inputs)}`, () => assert.deepEqual(pick(rollback(inputs)), expected));
  }

  const refused: [RawInputs, RegExp][] = [
    [{ services: '' }, /^services: is required for a rollback/],
    [{ services: '-f' }, /^services: '-f' is not the name of a systemd unit or of a Compose service$/],
    [
      { services: 'odoo; reboot' },
      /^services: 'odoo;' is not the name of a systemd unit or of a Compose service$/,
    ],
    [
      { 'stop-command': 'x', 'start-command': 'y' },
      /^services: cannot be combined with stop-command and start-command/,
    ],
    [{ services: '', 'stop-command': 'x' }, /start-command: is required, because stop-command is set/],
    [{ 'health-check': 'ftp://host/' }, /^health-check: 'ftp:\/\/host\/' is not an http or https URL$/],
    [{ 'health-check': 'http://host/ from mars' }, /^health-check: .* is not of the form/],
    [{ 'health-check': 'odoo within 2' }, /^health-check: '2' is not a duration from 1s to 1h/],
    [{ 'keep-previous': '0' }, /^keep-previous: '0' is neither until-healthy, always nor a number of days$/],
    [{ 'target-database': 'copy' }, /^target-database: is for the command restore/],
    [{ neutralize: 'true' }, /^neutralize: is for the command restore/],
    [{ jobs: '0' }, /^jobs: /],
  ];
  for (const [inputs, pattern] of refused) {
    test(`refused: ${JSON.stringify(inputs)}`, () => {
      assert.throws(
        () => rollback(inputs),
        (error) => error instanceof InputError && pattern.test(error.message),
      );
    });
  }

  test('DRY_RUN asks for a dry run, unless the input says otherwise', () => {
    assert.equal(rollback({}, { DRY_RUN: 'true' }).dryRun, true);
    assert.equal(rollback({}, { DRY_RUN: 'True' }).dryRun, true);
    assert.equal(rollback({}, { DRY_RUN: 'false' }).dryRun, false);
    assert.equal(rollback({ 'dry-run': 'false' }, { DRY_RUN: 'true' }).dryRun, false);
  });
});

suite('the inputs of a restore', () => {
  test('a copy is neutralized, gets a UUID of its own, and replaces nothing', () => {
    const { targetDatabase, replace, neutralize, newUuid, services } = restore();
    assert.deepEqual(
      { targetDatabase, replace, neutralize, newUuid, services },
      { targetDatabase: 'copy', replace: false, neutralize: true, newUuid: true, services: undefined },
    );
  });

  test('unless told otherwise', () => {
    const { replace, neutralize, newUuid } = restore({
      replace: 'true',
      neutralize: 'false',
      'new-uuid': 'false',
    });
    assert.deepEqual({ replace, neutralize, newUuid }, { replace: true, neutralize: false, newUuid: false });
  });

  const refused: [RawInputs, RegExp][] = [
    [{ 'target-database': 'postgres' }, /^target-database: 'postgres' is a database of PostgreSQL's own$/],
    [{ 'target-database': 'template1' }, /^target-database: 'template1' is a database of PostgreSQL's own$/],
    [
      { 'target-database': 'shop__old_20261121034100' },
      /^target-database: 'shop__old_20261121034100' is a name that restores give/,
    ],
    [{ 'target-database': 'x'.repeat(64) }, /^target-database: 'x{64}' is not a name that Odoo can give/],
    [{ 'target-database': 'a"b' }, /^target-database: 'a"b' is not a name that Odoo can give/],
    [{ filestore: '/srv/filestore/shop/' }, /^filestore: \/srv\/filestore\/shop\/ is not the folder of copy/],
  ];
  for (const [inputs, pattern] of refused) {
    test(`refused: ${JSON.stringify(inputs)}`, () => {
      assert.throws(
        () => restore(inputs),
        (error) => error instanceof InputError && pattern.test(error.message),
      );
    });
  }

  test('a folder of the target’s own name may be given', () => {
    assert.equal(restore({ filestore: '/srv/filestore/copy/' }).odoo.filestore, '/srv/filestore/copy/');
  });

  test('the target has to be named', () => {
    assert.throws(
      () => restore({ 'target-database': '' }),
      /^InputError: target-database: is required: the name of the database to restore into$/,
    );
  });
});
